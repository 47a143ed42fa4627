//! What every route shares: the store, the keys, the limits, and the answer
//! that a completed sign-in gets.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use serde_json::json;

use crate::access::{self, AccessTokens, Claims};
use crate::accounts::{self, Account};
use crate::clock::{iso8601, millis, now};
use crate::config::{Carrier, Config, Tunable};
use crate::cookies;
use crate::error::{Refusal, answer};
use crate::faults::FaultList;
use crate::issuer::SigningKey;
use crate::limits::Limits;
use crate::mailbox::Mailbox;
use crate::password::Passwords;
use crate::request_log::RequestLog;
use crate::secret::Key;
use crate::sessions::{self, End, Issued};
use crate::store::Store;

/// The address a request came from.
#[derive(Clone, Copy)]
pub(crate) struct From(pub IpAddr);

/// Shared by all requests.
pub(crate) struct App {
    pub config: Config,
    pub tunable: RwLock<Tunable>,
    pub store: Store,
    pub key: Key,
    pub access: AccessTokens,
    pub signing: SigningKey,
    pub passwords: Passwords,
    pub faults: FaultList,
    pub seen: RequestLog,
    pub mailbox: Mailbox,
    pub limits: Limits,
}

/// The account and session that a valid bearer token names.
pub(crate) struct Caller {
    pub account: Account,
    pub session: String,
}

impl App {
    /// The settings in force; tests change them while the backend runs.
    pub fn rules(&self) -> Tunable {
        self.tunable
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The caller of a request. Refused without a token and after the session has ended.
    pub async fn caller(self: &Arc<Self>, headers: &HeaderMap) -> Result<Caller, Refusal> {
        let token = bearer(headers).ok_or_else(|| {
            Refusal::unauthorized("ACCESS_MISSING", "this needs an access token as a bearer")
        })?;
        let claims = self.access.read(token)?;
        if claims.issued() < self.rules().access_floor {
            return Err(access::expired());
        }
        let session = claims.sid.clone();
        let (standing, account) = self
            .store
            .run(move |tx| {
                let standing = sessions::standing(tx, &claims.sid)?;
                Ok((standing, accounts::by_id(tx, &claims.sub)?))
            })
            .await?;
        match (standing, account) {
            (Some(None), Some(account)) if !account.blocked => Ok(Caller { account, session }),
            (Some(Some(word)), _) => Err(End::refusal(&word)),
            (Some(None), Some(_)) => Err(End::refusal(End::Revoked.word())),
            (None, _) | (_, None) => Err(End::refusal(End::SignedOut.word())),
        }
    }

    /// The answer to a completed sign-in or refresh: the user, the access token and the refresh
    /// token.
    pub fn session_answer(
        &self,
        status: StatusCode,
        account: &Account,
        issued: &Issued,
    ) -> Result<Response<Body>, Refusal> {
        let moment = now();
        let life = millis(self.rules().access_ttl);
        let claims = Claims::new(&account.id, &issued.session, moment, life);
        let mut tokens = json!({
            "token": self.access.sign(&claims)?,
            "expires": iso8601(moment + life),
            "expiresIn": life / 1000,
        });
        // Rounded up, so that a lifetime of whole seconds is reported as that number.
        let left = (issued.expires_at - moment + 999).div_euclid(1000);
        if self.config.carrier == Carrier::Body {
            tokens["refreshToken"] = issued.token.clone().into();
            tokens["refreshExpiresIn"] = left.into();
        }
        let body = json!({ "user": account.user(), "tokens": tokens });
        let mut response = answer(status, &body);
        if self.config.carrier == Carrier::Cookie {
            self.set_cookie(&mut response, &cookies::refresh(&issued.token, left));
        }
        Ok(response)
    }

    /// Adds a `Set-Cookie` header.
    pub fn set_cookie(&self, response: &mut Response<Body>, cookie: &str) {
        let secure = if self.config.secure_cookies {
            "; Secure"
        } else {
            ""
        };
        // Refresh tokens are hexadecimal and language tags are checked, so this is always a header.
        if let Ok(value) = HeaderValue::try_from(format!("{cookie}{secure}")) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}
