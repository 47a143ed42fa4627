//! `POST /oidc/token`: exchanges a code, an approved device or a refresh token for tokens (RFC 6749,
//! RFC 7636, RFC 8628), and `GET /oidc/userinfo`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::Transaction;
use serde_json::{Value, json};

use super::clients::Client;
use super::form::Parameters;
use super::grants::{self, Grant};
use super::refusal::OauthRefusal;
use super::{device, issuer};
use crate::access::Claims;
use crate::accounts::{self, Account};
use crate::app::App;
use crate::clock::{Millis, millis, now};
use crate::error::answer;
use crate::routes::Answer;
use crate::secret::sha256;
use crate::sessions::{self, Device, Issued};

/// For how long an ID token may be presented.
const ID_TOKEN_LIFE: Millis = 5 * 60_000;

/// A session that has just begun or gone on, with what it was granted.
struct Exchanged {
    account: Account,
    issued: Issued,
    grant: Grant,
}

/// What an exchange in the database leads to.
type Exchange = rusqlite::Result<Result<(Issued, Grant), OauthRefusal>>;

pub(crate) async fn exchange(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<axum::http::Response<axum::body::Body>, OauthRefusal> {
    let issuer = issuer(&headers)?;
    let form = Parameters::of_form(&headers, &body)?;
    let client = form.require("client_id")?;
    let client = Client::of(client).ok_or_else(|| {
        OauthRefusal::new("invalid_client", "client_id: no such client is registered")
    })?;
    if form.get("client_secret").is_some() || headers.contains_key("authorization") {
        let words = "clients are public here: a secret in an app is none";
        return Err(OauthRefusal::new("invalid_client", words));
    }
    let exchanged = match form.require("grant_type")? {
        "authorization_code" => {
            let code = form.require("code")?.to_owned();
            let redirect_uri = form.require("redirect_uri")?.to_owned();
            let challenge = challenge_of(form.require("code_verifier")?)?;
            let work = move |app: &App, tx: &Transaction<'_>| {
                of_code(app, tx, &code, client, &redirect_uri, &challenge)
            };
            run(&app, work).await?
        }
        "refresh_token" => {
            let token = form.require("refresh_token")?.to_owned();
            run(&app, move |app, tx| of_refresh(app, tx, &token, client)).await?
        }
        device::GRANT => {
            let code = form.require("device_code")?.to_owned();
            run(&app, move |app, tx| {
                let grant = match device::redeem(tx, &code, client.id, now())? {
                    Ok(grant) => grant,
                    Err(refusal) => return Ok(Err(refusal)),
                };
                begin(app, tx, grant).map(Ok)
            })
            .await?
        }
        _ => {
            let words = "grant_type: authorization_code, refresh_token or device_code";
            return Err(OauthRefusal::new("unsupported_grant_type", words));
        }
    };
    let tokens = tokens(&app, &issuer, &exchanged)?;
    Ok(answer(StatusCode::OK, &tokens))
}

/// The user as `/me` knows them, in the standard claims.
pub(crate) async fn user_info(State(app): State<Arc<App>>, headers: HeaderMap) -> Answer {
    issuer(&headers)?;
    let caller = app.caller(&headers).await?;
    Ok(answer(StatusCode::OK, &claims_of(&caller.account)))
}

/// Runs an exchange in one transaction, and reads whose session it is.
async fn run(
    app: &Arc<App>,
    work: impl FnOnce(&App, &Transaction<'_>) -> Exchange + Send + 'static,
) -> Result<Exchanged, OauthRefusal> {
    let shared = Arc::clone(app);
    let done = app.store.run(move |tx| {
        let (issued, grant) = match work(&shared, tx)? {
            Ok(done) => done,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let account = accounts::by_id(tx, &issued.account)?;
        let account = account.filter(|account| !account.blocked);
        let gone = || OauthRefusal::invalid_grant("the account is blocked, or gone");
        Ok(account.ok_or_else(gone).map(|account| Exchanged {
            account,
            issued,
            grant,
        }))
    });
    done.await?
}

fn of_code(
    app: &App,
    tx: &Transaction<'_>,
    code: &str,
    client: &Client,
    redirect_uri: &str,
    challenge: &str,
) -> Exchange {
    let grant = match grants::redeem_code(tx, code, client.id, redirect_uri, challenge, now())? {
        Ok(grant) => grant,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let (issued, grant) = begin(app, tx, grant)?;
    grants::code_used(tx, code, &issued.session)?;
    Ok(Ok((issued, grant)))
}

/// Begins the session of a grant.
fn begin(app: &App, tx: &Transaction<'_>, grant: Grant) -> rusqlite::Result<(Issued, Grant)> {
    let device = Device::default();
    let issued = sessions::open(tx, &grant.account, &device, now(), &app.rules())?;
    grants::session_begun(tx, &issued.session, &grant)?;
    Ok((issued, grant))
}

fn of_refresh(app: &App, tx: &Transaction<'_>, token: &str, client: &Client) -> Exchange {
    let device = Device::default();
    // Asked before anything is rotated: a token of another client or of the password's road is left
    // as it is.
    let session = sessions::of_token(tx, token)?;
    let grant = match session {
        Some(session) => grants::of_session(tx, &session)?,
        None => None,
    };
    let Some(grant) = grant.filter(|grant| grant.client == client.id) else {
        let words = "the refresh token is not known, or not this client's";
        return Ok(Err(OauthRefusal::invalid_grant(words)));
    };
    let rotated = sessions::rotate(tx, &app.key, token, &device, now(), &app.rules())?;
    Ok(match rotated {
        Ok(issued) => Ok((issued, grant)),
        Err(refusal) => Err(OauthRefusal::invalid_grant(refusal.message)),
    })
}

fn tokens(app: &App, issuer: &str, exchanged: &Exchanged) -> Result<Value, OauthRefusal> {
    let Exchanged {
        account,
        issued,
        grant,
    } = exchanged;
    let (now, life) = (now(), millis(app.rules().access_ttl));
    let access = Claims::new(&account.id, &issued.session, now, life);
    let mut tokens = json!({
        "access_token": app.access.sign(&access)?,
        "token_type": "Bearer",
        "expires_in": life / 1000,
        "scope": grant.scope,
    });
    let wants = |scope: &str| grant.scope.split(' ').any(|granted| granted == scope);
    if wants("offline_access") {
        tokens["refresh_token"] = issued.token.clone().into();
    }
    if wants("openid") {
        let mut claims = claims_of(account);
        claims["iss"] = issuer.into();
        claims["aud"] = grant.client.clone().into();
        claims["iat"] = (now / 1000).into();
        claims["exp"] = ((now + ID_TOKEN_LIFE) / 1000).into();
        claims["auth_time"] = (grant.signed_in_at / 1000).into();
        if let Some(nonce) = &grant.nonce {
            claims["nonce"] = nonce.clone().into();
        }
        tokens["id_token"] = app.signing.sign(&claims)?.into();
    }
    Ok(tokens)
}

/// The standard claims of OpenID Connect Core 1.0, section 5.1, and the roles.
fn claims_of(account: &Account) -> Value {
    let mut claims = json!({
        "sub": account.id,
        "name": account.name,
        "email": account.email,
        "email_verified": account.email_verified,
        "roles": account.roles,
    });
    if let Some(image) = &account.image {
        claims["picture"] = image.clone().into();
    }
    claims
}

/// The challenge of a verifier (RFC 7636, section 4.2), which has 43 to 128 characters.
fn challenge_of(verifier: &str) -> Result<String, OauthRefusal> {
    let is_allowed = |c: u8| c.is_ascii_alphanumeric() || b"-._~".contains(&c);
    if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(is_allowed) {
        let words = "code_verifier: 43 to 128 letters, digits, or any of -._~";
        return Err(OauthRefusal::invalid_request(words));
    }
    Ok(URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes())))
}
