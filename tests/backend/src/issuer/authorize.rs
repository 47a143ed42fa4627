//! `GET /oidc/authorize`: a person proves who they are, and the browser takes a code back to the app
//! (RFC 6749, section 4.1, with PKCE and the issuer's name in the answer: RFC 7636, RFC 9207).

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use rusqlite::Transaction;
use url::Url;
use uuid::Uuid;

use super::clients::Client;
use super::discovery::SCOPES;
use super::form::Parameters;
use super::grants::{self, CodeRequest, Grant};
use super::issuer;
use super::page::{self, Form};
use super::refusal::OauthRefusal;
use crate::accounts::Account;
use crate::app::{App, From};
use crate::clock::now;
use crate::error::Refusal;
use crate::otp::Method;
use crate::routes::codes::by_code;
use crate::routes::sign_in::{Next, by_password, mail};
use crate::sessions::Device;

/// An app's request.
struct Request {
    client: &'static Client,
    redirect_uri: String,
    state: Option<String>,
    /// What is wrong with the rest of it, or the rest.
    asked: Result<Asked, OauthRefusal>,
}

struct Asked {
    scope: String,
    nonce: Option<String>,
    code_challenge: String,
}

/// What a person still has to enter.
pub(super) struct NextStep {
    pub email: String,
    pub words: Option<String>,
    /// The code that is wanted, if it is one.
    pub code: Option<WantedCode>,
}

/// A code that a person has to enter.
#[derive(Clone)]
pub(super) struct WantedCode {
    /// Names the sign-in that the code belongs to.
    pub attempt: String,
    /// Where the code comes from: `mail` or `app`.
    pub from: &'static str,
}

/// The parameters of a person's form that are not the app's.
const TYPED: [&str; 6] = ["email", "password", "code", "attempt", "from", "decision"];

pub(crate) async fn show(headers: HeaderMap, RawQuery(query): RawQuery) -> Response<Body> {
    let shown = || {
        let issuer = issuer(&headers)?;
        let query = Parameters::of_query(query.as_deref().unwrap_or_default())?;
        let request = Request::read(&query)?;
        Ok::<_, OauthRefusal>(match &request.asked {
            Ok(_) => page::form(&request.form(&query)),
            Err(refusal) => request.refuse(&issuer, refusal),
        })
    };
    shown().unwrap_or_else(|refusal| page::refused(&refusal))
}

pub(crate) async fn submit(
    State(app): State<Arc<App>>,
    Extension(from): Extension<From>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let answered = answer(&app, from, &headers, &body).await;
    answered.unwrap_or_else(|refusal| page::refused(&refusal))
}

async fn answer(
    app: &Arc<App>,
    from: From,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Response<Body>, OauthRefusal> {
    let issuer = issuer(headers)?;
    page::require_own_form(headers)?;
    let form = Parameters::of_form(headers, body)?;
    let request = Request::read(&form)?;
    let asked = match &request.asked {
        Ok(asked) => asked,
        Err(refusal) => return Ok(request.refuse(&issuer, refusal)),
    };
    if form.get("decision") == Some("refuse") {
        let refusal = OauthRefusal::new("access_denied", "the person has cancelled the sign-in");
        return Ok(request.refuse(&issuer, &refusal));
    }
    let account = match sign_in(app, from, headers, &form).await? {
        Ok(account) => account,
        Err(next) => {
            let mut again = request.form(&form);
            again.ask(&next, request.client.name);
            return Ok(page::form(&again));
        }
    };
    let grant = Grant {
        account: account.id,
        client: request.client.id.to_owned(),
        scope: asked.scope.clone(),
        nonce: asked.nonce.clone(),
        signed_in_at: now(),
    };
    let waits = CodeRequest {
        redirect_uri: request.redirect_uri.clone(),
        code_challenge: asked.code_challenge.clone(),
    };
    let code = app
        .store
        .run(move |tx| grants::begin_code(tx, &grant, &waits, now()));
    Ok(request.return_with(&issuer, &[("code", &code.await?)]))
}

/// Who has signed in by this form, or what they still have to enter.
pub(super) async fn sign_in(
    app: &Arc<App>,
    from: From,
    headers: &HeaderMap,
    form: &Parameters,
) -> Result<Result<Account, NextStep>, OauthRefusal> {
    let text = |name| form.get(name).unwrap_or_default().to_owned();
    let email = text("email").trim().to_lowercase();
    let (password, code) = (text("password"), text("code"));
    let attempt = match text("attempt") {
        attempt if attempt.is_empty() => Uuid::new_v4().to_string(),
        attempt => attempt,
    };
    // A code belongs to the sign-in that has asked for it.
    let device = Device {
        id: Some(attempt.clone()),
        ..Device::default()
    };
    let next = |words: Option<String>, wanted: Option<&'static str>| NextStep {
        email: email.clone(),
        words,
        code: wanted.map(|from| WantedCode {
            attempt: attempt.clone(),
            from,
        }),
    };
    let refused = |refusal: Refusal, wanted| match refusal.status.is_server_error() {
        true => Err(OauthRefusal::from(refusal)),
        false => Ok(Err(next(Some(sentence(&refusal.message)), wanted))),
    };
    if !code.is_empty() {
        let code: String = code.split_whitespace().collect();
        let (sent, method) = match form.get("from") {
            Some("app") => ("app", Method::Totp),
            _ => ("mail", Method::Mail),
        };
        // A recovery code has letters, and may be entered in the place of any other.
        let is_recovery = code.contains(|c: char| c.is_ascii_alphabetic());
        let method = if is_recovery {
            Method::Recovery
        } else {
            method
        };
        let done = |_: &App, _: &Transaction<'_>, _: &Account| Ok(());
        let verified = by_code(app, from, email.clone(), method, code, device, done).await;
        return match verified {
            Ok((account, ())) => Ok(Ok(account)),
            // Only a code that can still be corrected is asked for again.
            Err(refusal) => {
                let wanted = (refusal.code == "OTP_INVALID").then_some(sent);
                refused(refusal, wanted)
            }
        };
    }
    if email.is_empty() || password.is_empty() {
        let words = "Enter your e-mail address and your password.";
        return Ok(Err(next(Some(words.into()), None)));
    }
    match by_password(app, from, email.clone(), password, device, |_, _, _| Ok(())).await {
        Ok(Next::Done(account, ())) => Ok(Ok(*account)),
        Ok(Next::Code(account, code)) => {
            let Some(code) = code else {
                return Ok(Err(next(None, Some("app"))));
            };
            mail(app, headers, &account, code);
            Ok(Err(next(None, Some("mail"))))
        }
        Err(refusal) => refused(refusal, None),
    }
}

impl Request {
    /// Reads an app's request. One that names no registered app, or no address to which it may return,
    /// is refused on a page: the browser must not be sent there (RFC 6749, section 4.1.2.1).
    fn read(from: &Parameters) -> Result<Self, OauthRefusal> {
        let client = Client::of(from.require("client_id")?).ok_or_else(|| {
            OauthRefusal::invalid_request("client_id: no such client is registered")
        })?;
        let redirect_uri = from.require("redirect_uri")?;
        if !client.may_return_to(redirect_uri) {
            let words = "redirect_uri: not an address of this app";
            return Err(OauthRefusal::invalid_request(words));
        }
        Ok(Self {
            client,
            redirect_uri: redirect_uri.to_owned(),
            state: from.get("state").map(str::to_owned),
            asked: Asked::read(from),
        })
    }

    fn form(&self, from: &Parameters) -> Form {
        let of_app = from.iter().filter(|(name, _)| !TYPED.contains(name));
        Form::authorize(self.client.name, of_app, from.get("login_hint"))
    }

    fn refuse(&self, issuer: &str, refusal: &OauthRefusal) -> Response<Body> {
        let answer = [
            ("error", refusal.error),
            ("error_description", refusal.words.as_str()),
        ];
        self.return_with(issuer, &answer)
    }

    /// Sends the browser back to the app.
    fn return_with(&self, issuer: &str, answer: &[(&str, &str)]) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SEE_OTHER;
        let address = Url::parse(&self.redirect_uri).map(|mut url| {
            url.query_pairs_mut().extend_pairs(answer);
            if let Some(state) = &self.state {
                url.query_pairs_mut().append_pair("state", state);
            }
            url.query_pairs_mut().append_pair("iss", issuer);
            url
        });
        // It was parsed before, and a parsed address is a header.
        if let Some(location) = address
            .ok()
            .and_then(|url| HeaderValue::try_from(url.as_str()).ok())
        {
            response.headers_mut().insert(header::LOCATION, location);
        }
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

impl Asked {
    fn read(from: &Parameters) -> Result<Self, OauthRefusal> {
        if from.require("response_type")? != "code" {
            let words = "response_type: only code";
            return Err(OauthRefusal::new("unsupported_response_type", words));
        }
        // Without PKCE another app on the machine could use the code; `plain` protects from nobody
        // who sees the request (RFC 7636, section 7.2).
        if from.require("code_challenge_method")? != "S256" {
            let words = "code_challenge_method: only S256";
            return Err(OauthRefusal::invalid_request(words));
        }
        let code_challenge = from.require("code_challenge")?;
        if code_challenge.len() != 43 {
            let words = "code_challenge: 43 characters of base64url";
            return Err(OauthRefusal::invalid_request(words));
        }
        if from.get("prompt") == Some("none") {
            let words = "a person has to sign in: no session of the browser's is kept here";
            return Err(OauthRefusal::new("login_required", words));
        }
        Ok(Self {
            scope: granted_scope(from.get("scope").unwrap_or_default())?,
            nonce: from.get("nonce").map(str::to_owned),
            code_challenge: code_challenge.to_owned(),
        })
    }
}

/// The wanted scopes that there are, each once.
pub(super) fn granted_scope(wanted: &str) -> Result<String, OauthRefusal> {
    let wanted: Vec<_> = wanted.split(' ').collect();
    let granted = SCOPES.into_iter().filter(|scope| wanted.contains(scope));
    let granted = granted.collect::<Vec<_>>().join(" ");
    match granted.is_empty() {
        false => Ok(granted),
        true => Err(OauthRefusal::new(
            "invalid_scope",
            format!("scope: some of {}", SCOPES.join(", ")),
        )),
    }
}

/// A refusal's words as a sentence of a page.
fn sentence(words: &str) -> String {
    let mut letters = words.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
}
