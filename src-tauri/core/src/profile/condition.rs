//! What a rule looks at in an answer, and when it fits.

use http::HeaderMap;
use serde_json::Value;

use super::header::HeaderKey;
use super::pointer::Pointer;
use crate::header_text;
use crate::json_value::truth;

/// The parts of an answer that rules test.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The HTTP status.
    pub status: u16,
    /// The error code that was found in the body.
    pub code: Option<&'a str>,
    /// The body, where it is JSON.
    pub body: Option<&'a Value>,
    /// Whether there is no body at all.
    pub empty: bool,
    /// The body, where it is neither JSON nor a web page.
    pub text: Option<&'a str>,
    /// The headers of the answer.
    pub headers: Option<&'a HeaderMap>,
}

/// The conditions that all kinds of rules share.
#[derive(Clone, Copy)]
pub(super) struct Condition<'a> {
    pub status: Option<u16>,
    pub code: Option<&'a str>,
    pub pointer: Option<&'a Pointer>,
    pub header: Option<&'a HeaderKey>,
    pub equals: Option<&'a Value>,
    pub contains: Option<&'a str>,
    pub absent: bool,
    pub empty: bool,
}

impl Condition<'_> {
    pub(super) fn holds(self, facts: &Facts<'_>) -> bool {
        if self.status.is_some_and(|status| status != facts.status) {
            return false;
        }
        if self.code.is_some() && self.code != facts.code {
            return false;
        }
        if self.empty && !facts.empty {
            return false;
        }
        match (self.pointer, self.header, self.contains) {
            // If the body is not JSON, nothing in it can match.
            (Some(pointer), ..) => facts.body.is_some_and(|body| self.fits(pointer.find(body))),
            (None, Some(name), _) => self.fits_header(name, facts),
            (None, None, Some(part)) => facts.text.is_some_and(|text| text.contains(part)),
            (None, None, None) => true,
        }
    }

    fn fits(self, found: Option<&Value>) -> bool {
        let Some(found) = found else {
            return self.absent;
        };
        let has = |part: &str| found.as_str().is_some_and(|text| text.contains(part));
        !self.absent
            && self.equals.is_none_or(|wanted| is_same(found, wanted))
            && self.contains.is_none_or(has)
    }

    /// Whether one of the headers of this name fits; if there is none, whether that does.
    fn fits_header(self, name: &HeaderKey, facts: &Facts<'_>) -> bool {
        let lines = facts.headers.map(|headers| headers.get_all(name.as_str()));
        let lines = lines.iter().flatten();
        let mut values = lines.map(|line| Value::String(header_text::text(line).trim().to_owned()));
        match values.next() {
            None => self.fits(None),
            Some(first) => self.fits(Some(&first)) || values.any(|value| self.fits(Some(&value))),
        }
    }

    /// Whether it has no condition and would match every answer.
    pub(super) fn is_empty(self) -> bool {
        self.status.is_none() && !self.is_named() && !self.empty
    }

    /// Whether it tests more than the status and an empty body: a gateway in front of the backend
    /// answers with these too.
    pub(super) fn is_named(self) -> bool {
        self.code.is_some() || self.names_other_than_json() || self.pointer.is_some()
    }

    /// Whether it tests what an answer has whose body is not JSON: a header, or a text.
    fn names_other_than_json(self) -> bool {
        !self.absent && (self.header.is_some() || self.contains.is_some()) && self.pointer.is_none()
    }

    /// Whether the answer has what the rule may judge: JSON, no body where the rule asks for that, or
    /// what the rule names beside JSON.
    pub(super) fn may_judge(self, facts: &Facts<'_>) -> bool {
        facts.body.is_some() || self.empty || self.names_other_than_json()
    }

    /// Whether it says what a value has to be.
    pub(super) fn has_value(self) -> bool {
        self.equals.is_some() || self.contains.is_some()
    }
}

/// Numbers are the same by value, not by how they were written. So are truths.
fn is_same(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (found, Value::Bool(wanted)) => truth(found) == Some(*wanted),
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        _ => found == wanted,
    }
}

/// The condition of a rule, whose members have the same names in all kinds of rules.
macro_rules! condition {
    ($rule:expr, $status:expr) => {
        $crate::profile::condition::Condition {
            status: $status,
            code: $rule.code.as_deref(),
            pointer: $rule.pointer.as_ref(),
            header: $rule.header.as_ref(),
            equals: $rule.equals.as_ref(),
            contains: $rule.contains.as_deref(),
            absent: $rule.absent,
            empty: $rule.empty,
        }
    };
}

pub(super) use condition;
