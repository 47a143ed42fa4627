//! The list of sessions, and ending them: one of the doctor's own, or all.

use serde_json::Value;
use vestibule_core::error::{AuthError, ErrorCode};
use vestibule_core::token::RefreshToken;
use vestibule_core::wire::SignedOutReason;

use super::renew::Renewal;
use super::{Exam, Heard, Step};
use crate::ledger::Session;
use crate::order::Account;
use crate::row::{Finding, Side};
use crate::shape;
use crate::stop::Stopped;

const LIST: &str = "/sessions";
const ALL: &str = "/logout-all";
/// What each session in the list should say.
const MEMBERS: [&str; 5] = ["id", "device", "createdAt", "lastUsedAt", "current"];

/// An answer to a call of the API.
struct Called {
    status: u16,
    body: Option<Value>,
    sent: String,
    got: String,
}

impl Called {
    fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether the backend has no such thing.
    fn is_absent(&self) -> bool {
        matches!(self.status, 404 | 405 | 501)
    }
}

impl Exam<'_> {
    /// Asks which sessions there are.
    pub(super) async fn list_sessions(&mut self, session: &Session) -> Step {
        let Some(called) = self.call("GET", LIST, session, "sessions").await? else {
            return Ok(());
        };
        let Called { sent, got, .. } = &called;
        if called.is_absent() {
            let why = format!("{got}: not offered, which is fine; the app shows no list then");
            self.set("sessions", Finding::unclear(sent, why));
            return Ok(());
        }
        let finding = Finding::no(sent, got);
        let finding = match (called.is_success(), &called.body) {
            (true, Some(Value::Array(items))) => match lacking(items) {
                lacks if lacks.is_empty() => Finding::yes(sent, got),
                lacks => {
                    let lacks = format!("each session should say {}", lacks.join(", "));
                    finding.advise(Side::Backend, lacks)
                }
            },
            (true, _) => finding.advise(Side::Backend, "answer a JSON list"),
            (false, _) if called.status == 401 => finding.advise(
                Side::Backend,
                "take the access token of the sign-in as `Authorization: Bearer`",
            ),
            (false, _) => finding.advise(
                Side::Backend,
                "answer 200 and a list, or 404 if there is none",
            ),
        };
        self.set("sessions", finding);
        Ok(())
    }

    /// Ends one session from another, as its owner would.
    pub(super) async fn end_one_session(&mut self, account: &Account, by: &Session) -> Step {
        let rows = ["session_end", "revoked"];
        let Some(session) = self.another_session(account, &rows).await? else {
            return Ok(());
        };
        let Some(listed) = self.call("GET", LIST, &session, "session_end").await? else {
            self.sheet
                .skip(&rows, "the list of sessions could not be asked for");
            return Ok(());
        };
        let Some(id) = listed.body.as_ref().and_then(own_id) else {
            let why = format!("the list does not say which session asks: {}", listed.got);
            self.sheet.skip(&rows, &why);
            return Ok(());
        };
        let path = format!("{LIST}/{id}");
        let Some(ended) = self.call("DELETE", &path, by, "session_end").await? else {
            return Ok(());
        };
        let Called { sent, got, .. } = &ended;
        if !ended.is_success() {
            let finding = Finding::no(sent, got);
            self.set("session_end", finding.advise(Side::Backend, "answer 204"));
            self.sheet
                .skip(&["revoked"], "the session could not be ended");
            return Ok(());
        }
        self.set("session_end", Finding::yes(sent, got));
        self.tell_the_end(session).await;
        Ok(())
    }

    /// Ends every session of the account.
    pub(super) async fn end_all_sessions(&mut self, account: &Account) -> Step {
        let Some(session) = self.another_session(account, &["logout_all"]).await? else {
            return Ok(());
        };
        self.desk.progress("ending every session of the account");
        let Some(called) = self.call("POST", ALL, &session, "logout_all").await? else {
            return Ok(());
        };
        let Called { sent, got, .. } = &called;
        let finding = if called.is_success() {
            Finding::yes(sent, got)
        } else if called.is_absent() {
            Finding::unclear(sent, format!("{got}: not offered, which is fine"))
        } else {
            Finding::no(sent, got).advise(Side::Backend, "answer 204")
        };
        let worked = called.is_success();
        self.set("logout_all", finding);
        if worked {
            self.tell_the_end(session).await;
        }
        Ok(())
    }

    /// What a session hears that was ended from elsewhere.
    async fn tell_the_end(&mut self, mut session: Session) {
        let done = self.renew_session(&session).await;
        let (sent, got) = (done.sent, done.got);
        let finding = match done.renewal {
            Renewal::Ended(SignedOutReason::Revoked) => Finding::yes(sent, got),
            Renewal::Ended(_) => Finding::no(sent, got).advise(
                Side::Backend,
                "say SESSION_REVOKED as the code: then the app can tell that it was ended from \
                 elsewhere",
            ),
            Renewal::Renewed { token, access, .. } => {
                session.renewed(token, access);
                let finding = Finding::no(sent, format!("{got}: still alive"));
                self.set_revoked(finding.advise(
                    Side::Backend,
                    "end the refresh tokens of a session with it, not the list's entry alone",
                ));
                return;
            }
            Renewal::Transient => Finding::no(sent, got)
                .advise(Side::Backend, "answer 401 with the code SESSION_REVOKED"),
        };
        session.is_over();
        self.set_revoked(finding);
    }

    fn set_revoked(&mut self, finding: Finding) {
        let is_better = !self.sheet.is_told("revoked");
        if is_better || finding.holds == crate::row::Holds::No {
            self.set("revoked", finding);
        }
    }

    /// One call of the API, as a page would make it; `None` where `row` says why there was none.
    async fn call(
        &mut self,
        method: &str,
        path: &str,
        session: &Session,
        row: &'static str,
    ) -> Result<Option<Called>, Stopped> {
        self.stop.check()?;
        let mark = self.witness.count();
        let token: &RefreshToken = &session.token;
        let access = session.access_token();
        let head = self
            .backend
            .api_once(method, path, access, token, &session.device)
            .await;
        let answer: Result<(), AuthError> = match head {
            Ok(head) => head.body().await.map(drop).map_err(AuthError::from),
            Err(error) => Err(error),
        };
        if let Err(error) = &answer
            && error.code == ErrorCode::PathRefused
        {
            let shown = if path.starts_with(LIST) { LIST } else { path };
            let why = format!("the profile's api.allow does not name {shown}, so no page calls it");
            self.sheet.skip(&[row], &why);
            return Ok(None);
        }
        let Heard { seen, sent, got } = self.heard(mark);
        let exchange = seen.into_iter().next();
        let Some(status) = exchange.as_ref().and_then(|exchange| exchange.status) else {
            self.set(row, Finding::unclear(sent, got));
            return Ok(None);
        };
        Ok(Some(Called {
            status,
            body: exchange.as_ref().and_then(shape::body),
            sent,
            got,
        }))
    }
}

fn lacking(items: &[Value]) -> Vec<&'static str> {
    let lacks = |name: &&'static str| !items.iter().all(|item| item.get(*name).is_some());
    MEMBERS.into_iter().filter(|name| lacks(name)).collect()
}

/// The id of the session that asked, if exactly one says that it did and its id fits a path.
fn own_id(list: &Value) -> Option<String> {
    let items = list.as_array()?.iter();
    let mut own = items.filter(|item| item.get("current") == Some(&Value::Bool(true)));
    let id = own.next()?.get("id")?.as_str()?.to_owned();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let fits = own.next().is_none() && (1..=128).contains(&id.len()) && id.chars().all(is_plain);
    fits.then_some(id)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_the_one_session_that_asks_is_named() {
        let list = json!([{"id": "a", "current": false}, {"id": "b-1", "current": true}]);
        assert_eq!(own_id(&list).as_deref(), Some("b-1"));
        let two = json!([{"id": "a", "current": true}, {"id": "b", "current": true}]);
        assert_eq!(own_id(&two), None, "it might be a person's");
        assert_eq!(own_id(&json!([{"id": "../x", "current": true}])), None);
        assert_eq!(own_id(&json!({"sessions": []})), None);
    }
}
