//! What profile might fit, where the given one does not: first by what came back already, then
//! by signing in as each shipped profile would.

use vestibule_core::backend::{Backend, Exchange, SignIn};
use vestibule_core::profile::{Profile, SHIPPED};

use super::{Exam, Step};
use crate::order::Account;
use crate::shape;
use crate::suggest::{self, Suggestion};

const LEFT: &str = "A session may be left until it expires: one sign-in was answered of which the \
                    doctor does not know how to end it.";

impl Exam<'_> {
    /// Looks for a profile that fits.
    pub(super) async fn discover(&mut self, account: &Account, seen: &[Exchange]) -> Step {
        if self.suggest_by(seen.first(), account) {
            return Ok(());
        }
        let device = Self::new_device();
        for candidate in candidates(&self.order.profile) {
            self.stop.check()?;
            self.desk.progress(&format!(
                "trying to sign in as the profile \"{}\" would",
                candidate.name
            ));
            let backend = Backend::over(candidate.profile, self.transport.clone());
            let backend = backend.watched_by(self.witness.clone());
            let mark = self.witness.count();
            let answer = backend.login(&Self::credentials(account), &device).await;
            let answer = self.ledger.unbroken(answer, &device);
            let seen = self.seen(mark);
            let ended = match answer {
                Ok(SignIn::Granted(grant)) => {
                    let access = grant.access.token.as_ref();
                    Some(
                        backend
                            .logout(&grant.token, access, &device)
                            .await
                            .map(drop),
                    )
                }
                Ok(SignIn::Nameless(nameless)) => {
                    let access = nameless.access.as_ref();
                    Some(
                        backend
                            .logout(&nameless.token, access, &device)
                            .await
                            .map(drop),
                    )
                }
                Ok(SignIn::OtpRequired { .. }) => Some(Ok(())),
                Ok(SignIn::Accepted) | Err(_) => None,
            };
            if matches!(ended, Some(Err(_))) {
                self.notes.push(LEFT.into());
            }
            let fits = ended.is_some();
            let _ = self.seen(mark);
            if fits {
                self.suggestion = match candidate.shipped {
                    Some(name) => Suggestion::Shipped {
                        name: name.into(),
                        how: format!(
                            "a sign-in as it describes it is understood at {}",
                            backend.profile().backend
                        ),
                    },
                    None => suggest::without_device(&self.order.profile),
                };
                return Ok(());
            }
            if self.suggest_by(seen.first(), account) {
                return Ok(());
            }
        }
        self.desk.progress("no shipped profile fits");
        Ok(())
    }

    /// Whether an answer says enough to suggest something.
    fn suggest_by(&mut self, exchange: Option<&Exchange>, account: &Account) -> bool {
        let Some(exchange) = exchange.filter(|one| matches!(one.status, Some(200..=299))) else {
            return false;
        };
        let Some(body) = shape::body(exchange) else {
            return false;
        };
        let input = Self::credentials(account);
        self.suggestion = suggest::by_answer(&self.order.profile, exchange, &body, &input);
        let found = self.suggestion != Suggestion::None;
        if found {
            self.notes.push(LEFT.into());
        }
        found
    }
}

/// A profile to be tried.
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
                name: "contract, without a device".into(),
                shipped: None,
                profile,
            },
        );
    }
    all
}
