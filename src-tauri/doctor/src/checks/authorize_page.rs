//! The page at which people sign in, asked as a browser would open it, by the app's own request and by
//! some that it should refuse. Nobody signs in.

mod page;

use std::sync::Arc;
use std::time::Duration;

use url::Url;
use vestibule_core::backend::Provider;
use vestibule_core::browser::Listener;
use vestibule_core::profile::RedirectBy;
use vestibule_core::reading;
use vestibule_core::transport::{
    HeaderMap, HeaderValue, HttpRequest, Method, RequestBody, Transport as _, TransportError,
};

use self::page::{Page, Verdict, sent_to};
use super::{Judged, NotTried, Observations, Probe};
use crate::client::Client;
use crate::finding::{Finding, Side};
use crate::stop::Stopped;

const TIMEOUT: Duration = Duration::from_secs(15);
/// How much of a page is read: a refusal says why at its beginning.
const LARGEST: usize = 256 * 1024;
/// A redirect that nobody has registered: no name ends like that (RFC 2606 §2).
const FOREIGN: &str = "https://vestibule-doctor.invalid/callback";

/// Whom the provider lets in, as far as its page tells.
#[derive(Default)]
pub(crate) struct Pages(Probe<Asked>);

struct Asked {
    /// The request of the app.
    first: Page,
    /// The same with another port; none where the profile names the ports.
    other_port: Option<Page>,
    foreign: Page,
    without_pkce: Page,
    implicit: Page,
}

impl Pages {
    pub(crate) fn skipped(why: impl Into<String>) -> Self {
        Self(Probe::skipped(why))
    }
}

/// Asks for the page, by the app's own request and by others.
pub(crate) async fn look(
    client: &mut Client,
    seen: &mut Observations<'_>,
    provider: &Arc<Provider>,
) -> Result<(), Stopped> {
    let asked = ask_all(client, seen, provider).await?;
    seen.pages = Pages(Probe::from(asked));
    Ok(())
}

async fn ask_all(
    client: &Client,
    seen: &Observations<'_>,
    provider: &Arc<Provider>,
) -> Result<Result<Asked, String>, Stopped> {
    let Some(browser) = seen.plan.profile.browser.get() else {
        return Ok(Err("the profile has no section `browser`".into()));
    };
    if !seen.plan.client_is_named {
        return Ok(Err(
            "name the app as it is registered there, with --client-id".into(),
        ));
    }
    if browser.redirect() == RedirectBy::Scheme {
        return Ok(Err(
            "the browser comes back by the app's scheme, which the app alone has".into(),
        ));
    }
    client.begin("opening the provider's sign-in page, as the app would")?;
    // Held until the end, so that the second has another port.
    let listener = match Listener::bind(browser.loopback, &browser.ports).await {
        Ok(listener) => listener,
        Err(error) => {
            return Ok(Err(format!(
                "no port of this computer can be listened on: {}",
                error.kind()
            )));
        }
    };
    let button = browser.button(None);
    let authorization = match &button {
        Some(button) => client.authorize(provider, listener.redirect(), button),
        None => return Ok(Err("the profile has no button".into())),
    };
    let address = match authorization {
        Ok(authorization) => authorization.address,
        Err(error) => return Ok(Err(error.message)),
    };
    let first = ask(client, &address).await?;
    let other_port = match browser.ports.is_empty() {
        true => match Listener::bind(browser.loopback, &[]).await {
            Ok(other) => {
                let address = with(&address, "redirect_uri", Some(&other.redirect()));
                Some(ask(client, &address).await?)
            }
            Err(_) => None,
        },
        false => None,
    };
    let foreign = ask(client, &with(&address, "redirect_uri", Some(FOREIGN))).await?;
    let without_pkce = with(&address, "code_challenge", None);
    let without_pkce = ask(client, &with(&without_pkce, "code_challenge_method", None)).await?;
    let implicit = ask(client, &with(&address, "response_type", Some("token"))).await?;
    Ok(Ok(Asked {
        first,
        other_port,
        foreign,
        without_pkce,
        implicit,
    }))
}

/// The address with another value of a parameter, or without it.
fn with(address: &Url, name: &str, value: Option<&str>) -> Url {
    let mut changed = address.clone();
    let others = address.query_pairs().filter(|(held, _)| held != name);
    changed.query_pairs_mut().clear().extend_pairs(others);
    if let Some(value) = value {
        changed.query_pairs_mut().append_pair(name, value);
    }
    changed
}

async fn ask(client: &Client, address: &Url) -> Result<Page, Stopped> {
    let mut headers = HeaderMap::new();
    headers.insert("accept", HeaderValue::from_static("text/html, */*;q=0.5"));
    headers.insert("accept-encoding", HeaderValue::from_static("identity"));
    let request = HttpRequest {
        method: Method::GET,
        url: address.clone(),
        headers,
        body: RequestBody::Empty,
        new_connection: false,
    };
    let work = async {
        let mut response = client.transport().send(request).await?;
        let status = response.status.as_u16();
        let location = response.headers.get("location");
        let location = location.filter(|_| response.status.is_redirection());
        let location = location.and_then(|to| address.join(&reading::address(to)).ok());
        if let Some(to) = location {
            return Ok(sent_to(&to, address));
        }
        let mut body = Vec::new();
        while let Some(piece) = response.body.chunk().await? {
            body.extend_from_slice(&piece);
            if body.len() > LARGEST {
                break;
            }
        }
        let text = reading::text(&body).to_lowercase();
        Ok(Page::Shown(status, text))
    };
    let answer = client.stop.race(tokio::time::timeout(TIMEOUT, work));
    let answer = answer.await?.unwrap_or(Err(TransportError::TimedOut));
    Ok(answer.unwrap_or_else(|error| Page::NoAnswer(error.obstacle())))
}

const SENT: &str = "the app's request";

fn asked<'a>(seen: &'a Observations<'_>) -> Result<&'a Asked, NotTried> {
    seen.pages.0.result()
}

pub(crate) fn client(seen: &Observations<'_>) -> Judged {
    let asked = asked(seen)?;
    Ok(match asked.first.verdict(&asked.foreign) {
        Verdict::Accepted(got) => Finding::yes(SENT, got),
        Verdict::RedirectRefused(got) => Finding::yes(SENT, format!("{got}: the client is known")),
        Verdict::Unclear(got) => Finding::unclear(SENT, got),
        Verdict::NoPage(got) => Finding::no(SENT, got).advise(
            Side::Provider,
            "serve the page that the discovery, or the profile, names for the sign-in",
        ),
        Verdict::ClientRefused(got) => Finding::no(SENT, got)
            .advise(
                Side::Profile,
                "check browser.client_id, browser.scopes and browser.parameters",
            )
            .advise(
                Side::Provider,
                "register the app as a native (public) client, with the code flow and PKCE",
            ),
    })
}

const REGISTER: &str = "let the client come back to this computer with any port (RFC 8252 §7.3): register \
                        http://127.0.0.1/callback as the redirect of a native app";
const PORTS: &str = "or register some ports there, and name them in browser.ports";

pub(crate) fn loopback(seen: &Observations<'_>) -> Judged {
    let asked = asked(seen)?;
    let refused = |got: String| {
        Finding::no(SENT, got)
            .advise(Side::Provider, REGISTER)
            .advise(Side::Profile, PORTS)
    };
    let first = match asked.first.verdict(&asked.foreign) {
        Verdict::Accepted(got) => got,
        Verdict::RedirectRefused(got) => return Ok(refused(got)),
        Verdict::ClientRefused(_) | Verdict::NoPage(_) => return not_asked(),
        Verdict::Unclear(got) => return Ok(Finding::unclear(SENT, got)),
    };
    let Some(other) = &asked.other_port else {
        return Ok(Finding::yes(
            SENT,
            format!("{first}: by a port of the profile"),
        ));
    };
    let sent = "the same with another port";
    Ok(match other.verdict(&asked.foreign) {
        Verdict::Accepted(_) => Finding::yes(sent, "both are taken"),
        Verdict::RedirectRefused(got) => {
            refused(format!("{got}: one port is taken, another is not"))
        }
        Verdict::ClientRefused(got) | Verdict::NoPage(got) | Verdict::Unclear(got) => {
            Finding::unclear(sent, got)
        }
    })
}

fn not_asked() -> Judged {
    let why = "the provider does not take the client, as far as its page tells";
    Err(NotTried::Because(why.into()))
}

/// The pages, where the app's own request was taken.
fn taken<'a>(seen: &'a Observations<'_>) -> Result<&'a Asked, NotTried> {
    let asked = asked(seen)?;
    match asked.first.verdict(&asked.foreign) {
        Verdict::Accepted(_) => Ok(asked),
        _ => not_asked().and(Err(NotTried::NotRun)),
    }
}

pub(crate) fn foreign_redirect(seen: &Observations<'_>) -> Judged {
    let asked = taken(seen)?;
    let sent = "a redirect to elsewhere";
    let got = asked.foreign.words();
    Ok(match &asked.foreign {
        // Any answer there is one too many: the next one may hold a code.
        Page::Back(_) => Finding::no(sent, got).advise(
            Side::Provider,
            "send nobody to an address that is not registered: a code that goes there is lost",
        ),
        page if page.is_refusal() => Finding::yes(sent, got),
        _ => Finding::unclear(sent, got),
    })
}

pub(crate) fn pkce_demanded(seen: &Observations<'_>) -> Judged {
    let asked = taken(seen)?;
    refused(
        "a request without PKCE",
        &asked.without_pkce,
        "demand PKCE of this client: another app on the same machine could send a request without, and \
         use the code that it catches",
    )
}

pub(crate) fn implicit(seen: &Observations<'_>) -> Judged {
    let asked = taken(seen)?;
    refused(
        "response_type=token",
        &asked.implicit,
        "switch the implicit flow off for this client (RFC 9700 §2.1.2): it puts tokens into addresses",
    )
}

/// A request that the provider should refuse.
fn refused(sent: &str, page: &Page, advice: &str) -> Judged {
    let got = page.words();
    Ok(match () {
        () if page.is_refusal() => Finding::yes(sent, got),
        () if page.goes_on() => {
            Finding::no(sent, format!("{got}: not refused")).advise(Side::Provider, advice)
        }
        () => Finding::unclear(sent, got),
    })
}
