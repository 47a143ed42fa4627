//! A look at an address before a person adds it: does a backend of this app answer there?
//!
//! Two requests, as the doctor sends them: a refresh with a token that nobody issued, and a sign-in with
//! nothing in it. Both have to be refused as the profile says. Nothing of a person is sent, no redirect
//! is followed, and every wait and every answer is bounded. What comes back is judged and never shown:
//! all words are this app's.

use std::time::Duration;

use tokio::time::timeout;

use crate::backend::{Backend, BackendError, RefreshAnswer, SignInFailure, invented_token};
use crate::cookies::Jar;
use crate::device::Device;
use crate::error::{AuthError, ErrorCode};
use crate::obstacle::Obstacle;
use crate::status::{Class, class};
use crate::wire::LoginInput;

/// How long each of the requests may take. A person waits for it.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// What was found at an address, in words for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Finding {
    /// Whether a backend of this app answers there.
    pub fits: bool,
    pub words: String,
}

/// What a request has found.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Found {
    /// A backend that refuses as the profile says.
    Refusal,
    /// It sends on to another origin.
    LeadsAway,
    /// A web page.
    Page,
    /// Something that answers, and not as the profile says.
    Stranger,
    /// It refuses this app, as its operator can change.
    RefusesApp,
    /// No answer to judge by, in words.
    Trouble(String),
}

/// Looks at the backend. Never fails: that nothing answers is a finding too.
pub(super) async fn look(backend: &Backend, product: &str) -> Finding {
    let backend = backend.with_jar(Jar::closed());
    let device = Device::unrecorded(product);
    let found = match bounded(ask_for_renewal(&backend, &device)).await {
        Found::Refusal => bounded(ask_for_sign_in(&backend, &device)).await,
        found => found,
    };
    backend.close_idle_connections();
    Finding {
        fits: found == Found::Refusal,
        words: words(found),
    }
}

async fn bounded(asking: impl Future<Output = Found>) -> Found {
    let answer = timeout(ANSWER_TIMEOUT, asking).await;
    answer.unwrap_or_else(|_| Found::Trouble(Obstacle::TimedOut.sentences()))
}

/// Refreshes with a token that nobody issued.
async fn ask_for_renewal(backend: &Backend, device: &Device) -> Found {
    let token = invented_token(backend.profile());
    let answer = match backend.refresh(&token, token.body(), device, 1).await {
        Ok(answer) => answer,
        Err(fault) => return without_answer(fault),
    };
    let (status, now) = (answer.status(), answer.sent_at());
    if answer.leads_away() {
        return Found::LeadsAway;
    }
    if class(status.as_u16()) == Class::NetworkSignIn {
        return Found::Trouble(Obstacle::Portal.sentences());
    }
    let body = match answer.body().await {
        Ok(body) => body,
        Err(fault) => return without_answer(fault),
    };
    match backend.refresh_answer(status, &body, &token, now) {
        RefreshAnswer::Ended(_) | RefreshAnswer::Refused { .. } => Found::Refusal,
        // Only something that lets everybody in renews what it has never given out.
        RefreshAnswer::Renewed { .. } => Found::Stranger,
        RefreshAnswer::Transient(fault) => without_answer(fault),
    }
}

/// Signs in with nothing in it, where the profile has a sign-in with a password.
async fn ask_for_sign_in(backend: &Backend, device: &Device) -> Found {
    if backend.profile().endpoints.login.get().is_none() {
        return Found::Refusal;
    }
    let Err(SignInFailure { error, .. }) = backend.login(&LoginInput::new("", ""), device).await
    else {
        // A session for nobody: this is no backend to send a password to.
        return Found::Stranger;
    };
    match error.code {
        ErrorCode::InvalidInput
        | ErrorCode::InvalidCredentials
        | ErrorCode::AccountBlocked
        | ErrorCode::AccountLocked => Found::Refusal,
        ErrorCode::Misconfigured => Found::RefusesApp,
        ErrorCode::RateLimited | ErrorCode::Unreachable | ErrorCode::BackendFault => {
            Found::Trouble(error.message)
        }
        _ => Found::Stranger,
    }
}

/// What it means that an answer cannot be judged.
fn without_answer(fault: BackendError) -> Found {
    match fault {
        // With a certificate, or on this computer, the server itself has sent the page.
        BackendError::Portal => Found::Page,
        BackendError::Status(status) if !class(status.as_u16()).is_trouble() => Found::Stranger,
        BackendError::BadAnswer | BackendError::TooLarge | BackendError::Unsendable => {
            Found::Stranger
        }
        fault => Found::Trouble(AuthError::from(fault).message),
    }
}

fn words(found: Found) -> String {
    let words = match found {
        Found::Trouble(words) => return words,
        Found::Refusal => "A server for this app answers there.",
        Found::LeadsAway => {
            "This address sends on to another one, which this app does not follow. Open it in a \
             browser and type the address at which you arrive, or ask the server's operator for it."
        }
        Found::Page => {
            "A web page answers there, and no server for this app. Check the address, or ask the \
             server's operator for it."
        }
        Found::Stranger => {
            "Something answers there, but not as a server for this app does. Check the address, or \
             ask the server's operator whether it is meant for this app."
        }
        Found::RefusesApp => {
            "The server there refuses this app as it is set up. The server's operator can let it in."
        }
    };
    words.to_owned()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use bytes::Bytes;
    use reqwest::StatusCode;
    use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};

    use super::*;
    use crate::profile::Profile;
    use crate::transport::{
        BoxFuture, HttpRequest, HttpResponse, ResponseBodyStream, Transport, TransportError,
    };

    /// A server that is as slow as it can be.
    enum Slow {
        /// It takes the request and never answers.
        Silent,
        /// It answers with a status, and its body never ends: a byte each second.
        Dripping,
    }

    struct SlowTransport {
        slow: Slow,
        requests: AtomicUsize,
    }

    impl Transport for SlowTransport {
        fn send(&self, _: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
            self.requests.fetch_add(1, Ordering::SeqCst);
            Box::pin(async move {
                if let Slow::Silent = self.slow {
                    std::future::pending::<()>().await;
                }
                let json = HeaderValue::from_static("application/json");
                Ok(HttpResponse {
                    status: StatusCode::UNAUTHORIZED,
                    headers: HeaderMap::from_iter([(CONTENT_TYPE, json)]),
                    length: None,
                    body: Box::new(Drip),
                })
            })
        }

        fn close_idle_connections(&self) {}
    }

    struct Drip;

    impl ResponseBodyStream for Drip {
        fn chunk(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, TransportError>> {
            Box::pin(async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(Some(Bytes::from_static(b" ")))
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_never_answers_is_given_up_soon() {
        for slow in [Slow::Silent, Slow::Dripping] {
            let transport = Arc::new(SlowTransport {
                slow,
                requests: AtomicUsize::new(0),
            });
            let backend = Backend::with_transport(Profile::default(), transport.clone());
            let begun = tokio::time::Instant::now();
            let found = look(&backend, "test").await;
            assert!(!found.fits);
            assert_eq!(found.words, Obstacle::TimedOut.sentences());
            assert_eq!(begun.elapsed(), ANSWER_TIMEOUT);
            assert_eq!(
                transport.requests.load(Ordering::SeqCst),
                1,
                "once is enough"
            );
        }
    }

    #[test]
    fn each_finding_has_words_of_its_own() {
        let all = [
            Found::Refusal,
            Found::LeadsAway,
            Found::Page,
            Found::Stranger,
            Found::RefusesApp,
        ];
        let said: std::collections::BTreeSet<_> = all.clone().map(words).into();
        assert_eq!(said.len(), all.len());
        assert!(said.iter().all(|words| words.ends_with('.')), "{said:?}");
    }
}
