//! Looks for a profile that understands the backend where the given one does not: first by the
//! answer that is already there, then by signing in as each shipped profile would.

use vestibule_core::backend::{Exchange, SignInResponse};
use vestibule_core::profile::{Profile, SHIPPED};

use super::Observations;
use crate::client::Client;
use crate::plan::Account;
use crate::shape;
use crate::stop::Stopped;
use crate::suggest::{self, Suggestion};

const LEFT: &str = "A session may be left until it expires: the doctor cannot sign out one that it \
                    has opened while it looked for a profile.";

/// `refused` is the answer that the given profile does not understand.
pub(super) async fn discover(
    client: &mut Client,
    seen: &mut Observations<'_>,
    account: &Account,
    refused: Option<&Exchange>,
) -> Result<(), Stopped> {
    if suggest_by(refused, seen, account) {
        return Ok(());
    }
    let device = Client::new_device();
    for candidate in candidates(&seen.plan.profile) {
        client.begin(&format!(
            "trying to sign in as the profile \"{}\" would",
            candidate.name
        ))?;
        let backend = client.with_profile(candidate.profile);
        let mark = client.recorder().count();
        let answer = backend.login(&account.credentials(), &device).await;
        let answer = client.keep_failed(answer, &device);
        let exchanges = client.exchanges_since(mark);
        let opened = match answer {
            Ok(SignInResponse::Granted(grant)) => Some((grant.token, grant.access.token)),
            Ok(SignInResponse::UnknownUser(unusable)) => Some((unusable.token, unusable.access)),
            Ok(SignInResponse::OtpRequired { .. }) => None,
            Ok(SignInResponse::Accepted { .. }) | Err(_) => {
                let first = exchanges.first().map(|one| &one.exchange);
                if suggest_by(first, seen, account) {
                    return Ok(());
                }
                continue;
            }
        };
        if let Some((token, access)) = opened {
            let signed_out = backend.logout(&token, access.as_ref(), &device).await;
            if signed_out.is_err() {
                seen.notes.push(LEFT.into());
            }
            // For the secrets in the answer to the sign-out.
            client.exchanges_since(mark);
        }
        seen.suggestion = match candidate.shipped {
            Some(name) => Suggestion::Shipped {
                name: name.into(),
                how: format!(
                    "a sign-in as it describes works at {}",
                    backend.profile().backend
                ),
            },
            None => suggest::without_device(&seen.plan.profile),
        };
        return Ok(());
    }
    client.prompter.progress("no shipped profile fits");
    Ok(())
}

/// Whether an answer says enough for a suggestion.
fn suggest_by(exchange: Option<&Exchange>, seen: &mut Observations<'_>, account: &Account) -> bool {
    let Some(exchange) = exchange.filter(|one| matches!(one.status, Some(200..=299))) else {
        return false;
    };
    let Some(body) = shape::body(exchange) else {
        return false;
    };
    let input = account.credentials();
    seen.suggestion = suggest::by_answer(&seen.plan.profile, exchange, &body, &input);
    let is_found = seen.suggestion != Suggestion::None;
    if is_found {
        seen.notes.push(LEFT.into());
    }
    is_found
}

/// A profile to try.
struct Candidate {
    name: String,
    shipped: Option<&'static str>,
    profile: Profile,
}

fn candidates(given: &Profile) -> Vec<Candidate> {
    let address = given.backend.as_str().trim_end_matches('/').to_owned();
    let mut all = Vec::new();
    for shipped in SHIPPED {
        let mut bases = vec![address.clone()];
        if shipped.name == "node-express-boilerplate" && !address.ends_with("/v1") {
            bases.push(format!("{address}/v1"));
        }
        for base in bases {
            let value = serde_json::json!({"extends": shipped.name, "backend": base});
            if let Ok(profile) = Profile::from_json(value)
                && profile.name != given.name
            {
                all.push(Candidate {
                    name: shipped.name.into(),
                    shipped: Some(shipped.name),
                    profile,
                });
            }
        }
    }
    let bare = serde_json::json!({"backend": address, "endpoints": {"login": {
        "path": given.endpoints.login.get().map(|login| login.path.source()),
        "body": {"email": "$identifier", "password": "$password"},
    }}});
    if let Ok(profile) = Profile::from_json(bare) {
        all.insert(
            0,
            Candidate {
                name: "contract, without the device".into(),
                shipped: None,
                profile,
            },
        );
    }
    all
}
