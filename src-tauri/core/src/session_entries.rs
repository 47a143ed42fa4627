//! Reads the list of an account's sessions, at the places that the profile names. Total: an entry that
//! cannot be read is left out and counted, and costs no other entry anything.

use std::collections::HashSet;

use serde_json::Value;

use crate::json_value::{is_true, text_of, whole};
use crate::moment;
use crate::profile::{Pointer, SessionFields, first};
use crate::secrets::Secret;

/// The most sessions that are shown: more than a person looks through, and than a window draws without
/// a pause.
const MOST: usize = 200;
/// The longest name of a session, in bytes: names and tokens are shorter.
const ID_LIMIT: usize = 4096;
/// The most characters of a text that is shown.
const TEXT_LIMIT: usize = 300;

/// One session of the account, as the backend lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionEntry {
    /// What the backend calls it: what `$listed_session` stands for. It may be a token.
    pub handle: Secret,
    /// Whether it is the session that asked.
    pub is_own: bool,
    /// A name for people.
    pub name: Option<String>,
    /// The browser or program.
    pub browser: Option<String>,
    /// The operating system.
    pub os: Option<String>,
    /// The `User-Agent` of the sign-in.
    pub user_agent: Option<String>,
    /// The network address of the sign-in.
    pub address: Option<String>,
    /// When it began, in milliseconds since the epoch.
    pub created_at: Option<u64>,
    /// When it was last used, likewise.
    pub last_used_at: Option<u64>,
    /// When it ends, likewise.
    pub expires_at: Option<u64>,
}

/// A list of sessions that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionEntries {
    /// Those that are shown, in the backend's order.
    pub sessions: Vec<SessionEntry>,
    /// How many entries are not, and why.
    pub left_out: LeftOut,
}

/// How many entries of a list are not shown, by the reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// Those without a text or a whole number at `answer.sessions.id`, so that nothing names them.
    pub nameless: usize,
    /// Those with the same name as an entry before.
    pub repeated: usize,
    /// Those beyond the most that are shown.
    pub beyond: usize,
}

impl LeftOut {
    /// How many it is in all.
    pub fn count(self) -> usize {
        self.nameless + self.repeated + self.beyond
    }
}

/// Reads the list in `body`; `None` if there is none. `own` is what the backend calls the session that
/// asked, if it has said so.
pub fn read(body: &Value, fields: &SessionFields, own: Option<&Secret>) -> Option<SessionEntries> {
    let found = fields.list.iter().filter_map(|place| place.find(body));
    let list = found.into_iter().find_map(Value::as_array)?;
    let mut left_out = LeftOut::default();
    let mut names = HashSet::new();
    let mut sessions = Vec::new();
    for entry in list {
        match session(entry, fields) {
            None => left_out.nameless += 1,
            Some(read) if !names.insert(read.handle.secret().to_owned()) => left_out.repeated += 1,
            Some(read) => sessions.push(read),
        }
    }
    mark_own(&mut sessions, own);
    if let Some(beyond) = sessions.len().checked_sub(MOST) {
        left_out.beyond = beyond;
        keep_most_used(&mut sessions);
    }
    Some(SessionEntries { sessions, left_out })
}

fn session(entry: &Value, fields: &SessionFields) -> Option<SessionEntry> {
    let text = |places: &[Pointer]| found(places, entry, shown);
    let moment = |places: &[Pointer]| found(places, entry, moment::epoch_ms);
    Some(SessionEntry {
        handle: found(&fields.id, entry, handle)?,
        is_own: first(&fields.current, entry).is_some_and(is_true),
        name: found(&fields.name, entry, |value| value.as_str().and_then(clean)),
        browser: text(&fields.browser),
        os: text(&fields.os),
        user_agent: text(&fields.user_agent),
        address: text(&fields.address),
        created_at: moment(&fields.created),
        last_used_at: moment(&fields.last_used),
        expires_at: moment(&fields.expires),
    })
}

/// What the first of these places holds that can be read.
fn found<T>(places: &[Pointer], entry: &Value, read: impl Fn(&Value) -> Option<T>) -> Option<T> {
    let mut values = places.iter().filter_map(|place| place.find(entry));
    values.find_map(read)
}

/// A number with a fraction names nothing, nor does a long one with a point or an exponent, which has lost
/// its last digits.
fn handle(value: &Value) -> Option<Secret> {
    let text = match value {
        Value::Number(number) if number.is_f64() => whole(number)?.to_string(),
        value => text_of(value)?,
    };
    let is_plain = !text.trim().is_empty() && !text.contains(char::is_control);
    (is_plain && text.len() <= ID_LIMIT).then(|| Secret::new(text))
}

/// A text for people: as it is, or what a table calls it, such as
/// `{"type": "macOS", "version": "15"}`.
fn shown(value: &Value) -> Option<String> {
    let Value::Object(table) = value else {
        return clean(&text_of(value)?);
    };
    let part = |names: &[&str]| {
        let values = names.iter().filter_map(|name| table.get(*name));
        values.into_iter().find_map(text_of)
    };
    let name = part(&["name", "type", "family"])?;
    let version = part(&["version", "major"]).unwrap_or_default();
    clean(&format!("{name} {version}"))
}

fn clean(text: &str) -> Option<String> {
    let plain = text.chars().filter(|c| !c.is_control());
    let text: String = plain.take(TEXT_LIMIT).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Leaves at most one session marked as the one that asked: the one of that name, else the one that the
/// backend marks. Where it marks several it cannot be told which it is.
fn mark_own(sessions: &mut [SessionEntry], own: Option<&Secret>) {
    let named = own.and_then(|own| sessions.iter().position(|one| one.handle == *own));
    let mut marked = (0..sessions.len()).filter(|index| sessions[*index].is_own);
    let only = marked.next().filter(|_| marked.next().is_none());
    let own = named.or(only);
    for (index, session) in sessions.iter_mut().enumerate() {
        session.is_own = own == Some(index);
    }
}

/// Keeps the session that asked and those that were used last, in their order.
fn keep_most_used(sessions: &mut Vec<SessionEntry>) {
    let rank = |one: &SessionEntry| (one.is_own, one.last_used_at.or(one.created_at));
    let mut ranks: Vec<_> = sessions.iter().map(rank).collect();
    ranks.sort_unstable_by(|a, b| b.cmp(a));
    let Some(least) = ranks.get(MOST - 1).copied() else {
        return;
    };
    let mut alike = ranks[..MOST].iter().filter(|one| **one == least).count();
    sessions.retain(|one| match rank(one).cmp(&least) {
        std::cmp::Ordering::Greater => true,
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => {
            let fits = alike > 0;
            alike = alike.saturating_sub(1);
            fits
        }
    });
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::profile::Profile;

    fn contract() -> SessionFields {
        Profile::default().answer.sessions
    }

    fn read(body: &Value, own: Option<&str>) -> SessionEntries {
        let own = own.map(Secret::new);
        super::read(body, &contract(), own.as_ref()).expect("a list")
    }

    fn handles(read: &SessionEntries) -> Vec<&str> {
        let sessions = read.sessions.iter();
        sessions.map(|one| one.handle.secret()).collect()
    }

    #[test]
    fn the_list_is_found_wherever_the_profile_says() {
        let entry = json!({"id": "a"});
        for body in [
            json!([entry]),
            json!({"sessions": [entry]}),
            json!({"data": [entry]}),
            json!({"data": {"items": [entry]}}),
            json!({"sessions": null, "items": [entry]}),
        ] {
            assert_eq!(handles(&read(&body, None)), ["a"], "{body}");
        }
        assert_eq!(read(&json!([]), None), SessionEntries::default());
        for body in [
            json!({}),
            json!({"sessions": "many"}),
            json!({"sessions": {"a": entry}}),
            json!("text"),
            json!(7),
            json!(null),
        ] {
            assert_eq!(super::read(&body, &contract(), None), None, "{body}");
        }
    }

    #[test]
    fn an_entry_that_cannot_be_read_is_left_out_and_the_list_is_not() {
        let list = json!([
            {"id": 42, "lastUsedAt": null},
            {"_id": "x7"},
            {"id": "5b0f7c1e-0d4b-4a53-9a53-aab0ac1f6b86"},
            {"id": "a/b?c#d%"},
            {"id": null, "_id": 7},
            {"id": 42.0},
            {"id": "42"},
            {"device": "Ghost"},
            {"id": ""},
            {"id": " "},
            {"id": "a\u{0}b"},
            {"id": "x".repeat(ID_LIMIT + 1)},
            {"id": true},
            {"id": ["a"]},
            {"id": {"$oid": "a"}},
            {"id": 1.5},
            {"id": 123_456_789_012_345_678_901_234.0},
            "nonsense",
            null,
            [],
            7,
        ]);
        let read = read(&list, None);
        let uuid = "5b0f7c1e-0d4b-4a53-9a53-aab0ac1f6b86";
        assert_eq!(handles(&read), ["42", "x7", uuid, "a/b?c#d%", "7"]);
        assert_eq!(read.sessions[0].last_used_at, None);
        let left_out = LeftOut {
            nameless: 14,
            repeated: 2,
            beyond: 0,
        };
        assert_eq!(read.left_out, left_out);
        assert_eq!(read.left_out.count(), 16);
    }

    #[test]
    fn what_a_device_is_called_is_read_in_each_shape() {
        let device = |device: Value| {
            let list = json!([{"id": 1, "device": device}]);
            let one = read(&list, None).sessions.remove(0);
            [one.name, one.browser, one.os]
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(device(json!(" Laptop ")), [some("Laptop"), None, None]);
        let contracts = json!({"fingerprint": "f", "os": "Debian 12", "browser": "Vestibule 1"});
        let both = [None, some("Vestibule 1"), some("Debian 12")];
        assert_eq!(device(contracts), both);
        let tables =
            json!({"os": {"type": "macOS", "version": "15"}, "browser": {"name": "Safari"}});
        assert_eq!(device(tables), [None, some("Safari"), some("macOS 15")]);
        let odd = json!({"os": {"version": 15}, "browser": [], "name": 7});
        assert_eq!(device(odd), [None, None, None]);
        for nothing in [json!(null), json!(7), json!("\u{7}\n"), json!([])] {
            assert_eq!(device(nothing.clone()), [None, None, None], "{nothing}");
        }
        let [name, ..] = device(json!("x\u{7}".repeat(100_000)));
        assert_eq!(name.map(|name| name.len()), Some(TEXT_LIMIT));
    }

    #[test]
    fn the_session_that_asks_is_marked_and_no_other() {
        let own = |list: Value, own: Option<&str>| {
            let read = read(&list, own);
            let own = read.sessions.iter().filter(|one| one.is_own);
            own.map(|one| one.handle.secret().to_owned())
                .collect::<Vec<_>>()
        };
        for current in [json!(true), json!(1), json!("true"), json!("yes")] {
            let list = json!([{"id": "a"}, {"id": "b", "current": current}]);
            assert_eq!(own(list, None), ["b"], "{current}");
        }
        for current in [
            json!(false),
            json!(0),
            json!("false"),
            json!(null),
            json!({}),
        ] {
            let list = json!([{"id": "a", "current": current}]);
            assert!(own(list, None).is_empty(), "{current}");
        }
        let plain = json!([{"id": "a"}, {"id": 42}]);
        assert_eq!(own(plain.clone(), Some("42")), ["42"]);
        assert!(own(plain, Some("else")).is_empty());
        let all = json!([{"id": "a", "current": true}, {"id": "b", "current": true}]);
        assert!(own(all.clone(), None).is_empty(), "it is one of them");
        assert_eq!(own(all, Some("b")), ["b"]);
    }

    #[test]
    fn of_very_many_the_own_one_and_those_used_last_are_kept_in_their_order() {
        let entry = |n: u64| {
            let last_used = 1_795_000_000 + n * 7919 % 10_000;
            json!({"id": n, "lastUsedAt": last_used, "current": n == 5_000})
        };
        let list = Value::Array((0..10_000).map(entry).collect());
        let read = read(&list, None);
        assert_eq!(read.sessions.len(), MOST);
        assert_eq!(read.left_out.beyond, 10_000 - MOST);
        assert!(read.sessions.iter().any(|one| one.is_own));
        let used = |one: &SessionEntry| one.last_used_at.expect("a time") / 1000 - 1_795_000_000;
        let others = read.sessions.iter().filter(|one| !one.is_own);
        assert!(
            others
                .clone()
                .all(|one| used(one) > 10_000 - 1 - MOST as u64)
        );
        let numbers: Vec<u64> = (read.sessions.iter())
            .map(|one| one.handle.secret().parse().expect("a number"))
            .collect();
        assert!(numbers.is_sorted(), "{numbers:?}");
        let alike = Value::Array((0..500).map(|n| json!({"id": n})).collect());
        let alike = super::read(&alike, &contract(), None).expect("a list");
        assert_eq!(alike.sessions.len(), MOST);
    }

    proptest! {
        #[test]
        fn no_list_makes_it_panic(text in r#"[\[\]{}",:a-z0-9.\-]{0,80}"#, id in ".{0,20}") {
            let value = serde_json::from_str(&text).unwrap_or_else(|_| json!(text));
            let list = json!([value, {"id": id, "device": value, "lastUsedAt": value, "current": value}]);
            let read = super::read(&list, &contract(), None).expect("a list");
            prop_assert_eq!(read.sessions.len() + read.left_out.count(), 2);
        }
    }
}
