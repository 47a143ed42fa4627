//! Checks rules: no rule matches every answer, and no temporary failure ends a session.

use super::{Checked, mistake};
use crate::profile::Profile;
use crate::profile::condition::Condition;
use crate::profile::model::UserFrom;
use crate::status::{Class, class};

impl Profile {
    pub(super) fn check_rules(&self) -> Checked {
        for (index, rule) in self.otp.wanted.iter().enumerate() {
            check_test(&format!("otp.wanted[{index}]"), rule.test())?;
        }
        for (index, rule) in self.errors.iter().enumerate() {
            let key = format!("errors[{index}]");
            check_test(&key, rule.test())?;
            let has_value = rule.test().has_value();
            if rule.status.is_some_and(is_success) && !has_value && rule.code.is_none() {
                let reason = "is a success: it is a refusal only with a `code`, or with what a \
                              `pointer` equals or contains";
                return mistake(format!("{key}.status"), reason);
            }
        }
        for (index, rule) in self.signed_out.iter().enumerate() {
            let key = format!("signed_out[{index}]");
            check_test(&key, rule.test())?;
            match rule.status {
                Some(status) if !says_nothing(status) => {}
                _ => {
                    let reason = "must be a status by which the backend itself refuses: 4xx, but \
                                  not 408, 425 or 429";
                    return mistake(format!("{key}.status"), reason);
                }
            }
        }
        // A provider's token endpoint says it by the standard: `invalid_grant` (RFC 6749 §5.2).
        if self.ends.is_empty() && self.signs_in_by_endpoint() {
            return mistake("ends", "is empty: a dead session would be renewed for ever");
        }
        let by_refresh = self.session.user_from == UserFrom::Refresh;
        for (index, rule) in self.ends.iter().enumerate() {
            let key = format!("ends[{index}]");
            check_test(&key, rule.test())?;
            let is_success = is_success(rule.status);
            let by_user = by_refresh && rule.pointer.is_some();
            let has_value = rule.test().has_value();
            if is_success && !by_user && !has_value {
                let reason = "is a success: it ends a session only with what a `pointer` equals \
                              or, where `session.user_from` is `refresh`, with a `pointer`";
                return mistake(format!("{key}.status"), reason);
            }
            if !is_success && says_nothing(rule.status) {
                let reason = "says nothing about the session: only 4xx do, but not 408, 425 or \
                              429, and a success without a user";
                return mistake(format!("{key}.status"), reason);
            }
        }
        Ok(())
    }
}

fn is_success(status: u16) -> bool {
    class(status) == Class::Success
}

/// Whether an answer with this status is no refusal by the backend itself.
fn says_nothing(status: u16) -> bool {
    class(status) != Class::Refusal
}

fn check_test(key: &str, test: Condition<'_>) -> Checked {
    if test.is_empty() {
        return mistake(
            key,
            "would match every answer: give it a status, a code, a pointer, a header or what it contains",
        );
    }
    if test.pointer.is_some() && test.header.is_some() {
        let reason = "cannot be given together with `pointer`: a rule looks at one place";
        return mistake(format!("{key}.header"), reason);
    }
    let has_place = test.pointer.is_some() || test.header.is_some();
    if !has_place && (test.equals.is_some() || test.absent) {
        return mistake(
            format!("{key}.pointer"),
            "is missing: say where in the body to look, or at which `header`",
        );
    }
    for (name, is_given) in [
        ("equals", test.equals.is_some()),
        ("contains", test.contains.is_some()),
    ] {
        if test.absent && is_given {
            let reason = "cannot be given together with `absent`";
            return mistake(format!("{key}.{name}"), reason);
        }
    }
    if test.contains.is_some_and(str::is_empty) {
        return mistake(
            format!("{key}.contains"),
            "is empty: every text contains that",
        );
    }
    let in_body = test.contains.is_some() && test.header.is_none();
    if test.empty && (test.code.is_some() || test.pointer.is_some() || in_body) {
        return mistake(
            format!("{key}.empty"),
            "cannot be given together with a code or a pointer, which are in a body",
        );
    }
    Ok(())
}
