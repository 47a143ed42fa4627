//! What the provider of the sign-in by the browser says of itself: its discovery (OpenID Connect Discovery
//! 1.0, RFC 8414) and its keys. Nobody signs in for it.

use std::sync::Arc;

use serde_json::Value;
use url::Url;
use vestibule_core::AuthError;
use vestibule_core::backend::{Provider, ProviderFault};
use vestibule_core::profile::{Browser, BrowserKind, ProviderAddress};

use super::{Judged, NotTried, Observations, Probe, authorize_page};
use crate::answered::Answered;
use crate::client::Client;
use crate::finding::{Finding, Side};
use crate::stop::Stopped;

/// Below an issuer.
pub(crate) const CONFIGURATION: &str = "/.well-known/openid-configuration";

const NO_SECTION: &str = "the profile has no section `browser`";
const UNUSABLE: &str = "the app cannot use what this provider says of itself";
const BY_NAME: &str = "the profile names the endpoints itself: there is no discovery";

#[derive(Default)]
pub(crate) struct Providers {
    found: Probe<Answered<Result<Arc<Provider>, ProviderFault>>>,
    keys: Probe<Answered<Result<usize, ProviderFault>>>,
}

impl Providers {
    /// The provider, as the app uses it; in words where it cannot.
    pub(crate) fn usable(&self) -> Result<Arc<Provider>, String> {
        match self.found.result() {
            Ok(found) => found.result.clone().map_err(|_| UNUSABLE.into()),
            Err(NotTried::Because(why)) => Err(why),
            Err(NotTried::NotRun) => Err(UNUSABLE.into()),
        }
    }
}

/// Asks for the discovery, the keys, and the page at which people sign in.
pub(crate) async fn look(client: &mut Client, seen: &mut Observations<'_>) -> Result<(), Stopped> {
    let browser = seen.plan.profile.browser.get();
    let found = match browser.map(|browser| browser.kind) {
        None => Probe::skipped(NO_SECTION),
        Some(BrowserKind::BetterAuth) => {
            Probe::skipped("the backend itself is the provider, by an exchange of its own")
        }
        Some(BrowserKind::Oidc | BrowserKind::Oauth2) => {
            client.begin("asking the provider of the sign-in by the browser what it is")?;
            Probe::done(client.provider().await)
        }
    };
    seen.provider.found = found;
    let provider = match seen.provider.usable() {
        Ok(provider) => provider,
        Err(why) => {
            seen.provider.keys = Probe::skipped(&why);
            seen.pages = authorize_page::Pages::skipped(why);
            return Ok(());
        }
    };
    client.stop.check()?;
    seen.provider.keys = match provider.issuer {
        Some(_) => Probe::done(client.usable_keys(&provider).await),
        None => Probe::skipped(BY_NAME),
    };
    authorize_page::look(client, seen, &provider).await
}

/// Whether this is the issuer that is meant; a slash at the end makes no difference.
pub(crate) fn is_same_issuer(said: &str, meant: &Url) -> bool {
    let plain = |url: &Url| url.as_str().trim_end_matches('/').to_owned();
    Url::parse(said).is_ok_and(|said| plain(&said) == plain(meant))
}

/// What discovery has answered.
type Found = Answered<Result<Arc<Provider>, ProviderFault>>;

/// The answer with the discovery, and what it says; none where it says nothing.
fn document<'a>(seen: &'a Observations<'_>) -> Result<(&'a Found, Option<Value>), NotTried> {
    let found = seen.provider.found.result()?;
    if found.exchanges.is_empty() && found.result.is_ok() {
        return Err(NotTried::Because(BY_NAME.into()));
    }
    let said = found.body().filter(|_| found.is_success());
    let said = said.filter(|said| said.get("issuer").is_some_and(Value::is_string));
    Ok((found, said))
}

/// The same where it says something.
fn said<'a>(seen: &'a Observations<'_>) -> Result<(&'a str, Value), NotTried> {
    let (found, said) = document(seen)?;
    let said = said.ok_or_else(|| NotTried::Because("there is no discovery to read".into()))?;
    Ok((found.sent(), said))
}

fn section<'a>(seen: &'a Observations<'_>) -> Result<&'a Browser, NotTried> {
    let browser = seen.plan.profile.browser.get();
    browser.ok_or_else(|| NotTried::Because(NO_SECTION.into()))
}

/// What is in the way of a question to the provider, with advice.
pub(super) fn faulty(finding: Finding, fault: ProviderFault) -> Finding {
    match fault {
        ProviderFault::Backend(fault) => match fault.obstacle() {
            Some(obstacle) => finding.advise_against(obstacle),
            None => finding.advise(
                Side::Provider,
                "answer this request with 200 and JSON, as the standard has it",
            ),
        },
        ProviderFault::Odd(words) | ProviderFault::Untrusted(words) => {
            finding.advise(Side::Provider, words)
        }
    }
}

pub(crate) fn discovery(seen: &Observations<'_>) -> Judged {
    let (found, said) = document(seen)?;
    let Some(said) = said else {
        let finding = found.no();
        return Ok(match &found.result {
            Err(ProviderFault::Backend(fault))
                if fault.obstacle().is_some() && !found.is_absent() =>
            {
                faulty(finding, (*fault).into())
            }
            _ => finding
                .advise(
                    Side::Profile,
                    "browser.issuer is the address in front of /.well-known/openid-configuration; \
                     a provider without that is kind = \"oauth2\", with its endpoints by name",
                )
                .advise(Side::Provider, "or serve the discovery there, as JSON"),
        });
    };
    let name = said.get("issuer").and_then(Value::as_str);
    let name = name.unwrap_or_default();
    let meant = section(seen)?.issuer.as_ref().map(ProviderAddress::url);
    Ok(match meant.is_some_and(|meant| is_same_issuer(name, meant)) {
        true => found.yes_because("the issuer of the profile"),
        false => found
            .no_because(&format!("calls itself {name}"))
            .advise(
                Side::Profile,
                format!("write browser.issuer as the provider does, if it is yours: {name}"),
            )
            .advise(
                Side::Provider,
                "or let the discovery name the address at which it is served: by the name the app \
                 knows whose ID tokens these are",
            ),
    })
}

/// The members that name an address, and whether nobody can sign in without.
const ADDRESSES: [(&str, bool); 7] = [
    ("authorization_endpoint", true),
    ("token_endpoint", true),
    ("jwks_uri", false),
    ("userinfo_endpoint", false),
    ("revocation_endpoint", false),
    ("device_authorization_endpoint", false),
    ("end_session_endpoint", false),
];

pub(crate) fn provider_endpoints(seen: &Observations<'_>) -> Judged {
    let (sent, said) = said(seen)?;
    let named = |name: &str| said.get(name).and_then(Value::as_str);
    let missing = ADDRESSES
        .iter()
        .filter(|(name, is_needed)| *is_needed && named(name).is_none());
    let missing: Vec<&str> = missing.map(|(name, _)| *name).collect();
    let plain = ADDRESSES
        .iter()
        .filter(|(name, _)| named(name).is_some_and(|text| ProviderAddress::parse(text).is_err()));
    let plain: Vec<&str> = plain.map(|(name, _)| *name).collect();
    Ok(match (missing.as_slice(), plain.as_slice()) {
        ([], []) => Finding::yes(sent, "https, or http that stays on this machine"),
        ([], plain) => {
            let got = format!("no address of https: {}", plain.join(", "));
            let advice =
                "serve it over https, and name it so: a token must not travel in the clear";
            Finding::no(sent, got).advise(Side::Provider, advice)
        }
        (missing, _) => Finding::no(sent, format!("it lacks {}", missing.join(", "))).advise(
            Side::Provider,
            "name it in the discovery: nobody can sign in by the browser without",
        ),
    })
}

pub(crate) fn pkce(seen: &Observations<'_>) -> Judged {
    let (sent, said) = said(seen)?;
    let methods = names(&said, "code_challenge_methods_supported");
    Ok(match methods {
        None => Finding::unclear(
            sent,
            "it does not say which methods of PKCE there are; the app sends S256",
        ),
        Some(methods) if methods.contains(&"S256") => Finding::yes(sent, "S256 is offered"),
        Some(methods) => {
            let got = format!("offered: {}", methods.join(", "));
            let advice = "offer S256 (RFC 7636): without it a code that another program has caught \
                          can be used, and the app signs nobody in";
            Finding::no(sent, got).advise(Side::Provider, advice)
        }
    })
}

fn names<'a>(said: &'a Value, member: &str) -> Option<Vec<&'a str>> {
    let items = said.get(member)?.as_array()?;
    Some(items.iter().filter_map(Value::as_str).collect())
}

/// Whether a key of which one half is public checks signatures of this algorithm (RFC 7518 §3.1).
fn is_by_public_key(algorithm: &str) -> bool {
    let is_of = |kind: &str| algorithm.starts_with(kind);
    is_of("RS") || is_of("PS") || matches!(algorithm, "ES256" | "ES384" | "EdDSA")
}

const SIGN: &str = "sign ID tokens with RS256, PS256, ES256, ES384 or EdDSA (or their longer hashes), and \
                    publish the keys: RSA, P-256, P-384 or Ed25519";

pub(crate) fn provider_keys(seen: &Observations<'_>) -> Judged {
    let answer = seen.provider.keys.result()?;
    let (_, said) = said(seen)?;
    let signs_with = names(&said, "id_token_signing_alg_values_supported");
    Ok(match answer.result {
        Err(fault) => faulty(answer.no(), fault),
        Ok(0) => answer
            .no_because("no key with which the app can check a signature")
            .advise(Side::Provider, SIGN),
        Ok(_) if signs_with.is_some_and(|all| !all.iter().any(|one| is_by_public_key(one))) => {
            answer
                .no_because("ID tokens are signed in ways that no public key can check")
                .advise(Side::Provider, SIGN)
        }
        Ok(1) => answer.yes_because("1 key that the app can use"),
        Ok(count) => answer.yes_because(&format!("{count} keys that the app can use")),
    })
}

pub(crate) fn answers_name_issuer(seen: &Observations<'_>) -> Judged {
    let (sent, said) = said(seen)?;
    let member = "authorization_response_iss_parameter_supported";
    Ok(match said.get(member).and_then(Value::as_bool) {
        Some(true) => Finding::yes(sent, "promised, and the app demands it"),
        Some(false) | None => Finding::no(sent, "not promised").advise(
            Side::Provider,
            format!(
                "send `iss` with each answer, and say {member} = true (RFC 9207): an app with several \
                 providers can then not be led to give the code of one to another"
            ),
        ),
    })
}

pub(crate) fn revocation(seen: &Observations<'_>) -> Judged {
    let usable = seen.provider.found.result()?;
    let provider = usable.result.as_ref();
    let provider = provider.map_err(|_| NotTried::Because(UNUSABLE.into()))?;
    let sent = usable.sent();
    Ok(match (&provider.revoke, &provider.issuer) {
        (Some(_), _) => Finding::yes(sent, "there is an endpoint for it"),
        (None, Some(_)) => Finding::no(sent, "there is no endpoint for it").advise(
            Side::Provider,
            "serve one (RFC 7009): without it a sign-out leaves the refresh token alive",
        ),
        (None, None) => Finding::no(sent, "the profile names no endpoint for it").advise(
            Side::Profile,
            "name it in browser.revoke (RFC 7009): without it a sign-out leaves the refresh token alive",
        ),
    })
}

pub(crate) fn device_codes(seen: &Observations<'_>) -> Judged {
    let usable = seen.provider.found.result()?;
    if !section(seen)?.device {
        let why = "the profile offers no sign-in on another device (browser.device)";
        return Err(NotTried::Because(why.into()));
    }
    let provider = usable.result.as_ref();
    let provider = provider.map_err(|_| NotTried::Because(UNUSABLE.into()))?;
    Ok(match provider.device_authorization {
        Some(_) => Finding::yes(usable.sent(), "there is an endpoint for it"),
        None => Finding::no(usable.sent(), "there is no endpoint for it")
            .advise(Side::Profile, "do not offer it: browser.device = false")
            .advise(Side::Provider, "or serve device authorization (RFC 8628)"),
    })
}

/// What the app says of a fault, for people.
pub(super) fn words(fault: ProviderFault) -> String {
    AuthError::from(fault).message
}
