//! Other names for the paths, members and cookies of a server, as if its authors had chosen them.

use serde_json::Value;
use url::form_urlencoded;

/// Pairs of names: the server's own, and the one that stands for it.
type Pairs = &'static [(&'static str, &'static str)];

/// Other names for what a server calls things. A name and the one that stands for it change places, so
/// that the server's own means nothing to whoever still uses it.
#[derive(Debug, Default)]
pub struct Renaming {
    /// Paths, without a query. Where any is named, there is no other.
    pub paths: Pairs,
    /// Members of JSON and of forms, and names in a query.
    pub members: Pairs,
    /// The names of the cookies that a backend sets and is sent.
    pub cookies: Pairs,
}

impl Renaming {
    /// The server's path for a path of a request, if it has one.
    pub fn path<'a>(&self, asked: &'a str) -> Option<&'a str> {
        if self.paths.is_empty() {
            return Some(asked);
        }
        let mut paths = self.paths.iter();
        paths
            .find(|(_, outside)| *outside == asked)
            .map(|(inside, _)| *inside)
    }

    /// The names of a query or a form, renamed one way or the other.
    pub fn form(&self, text: &str) -> String {
        if self.members.is_empty() {
            return text.to_owned();
        }
        let mut renamed = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            renamed.append_pair(other(self.members, &name), &value);
        }
        renamed.finish()
    }

    /// The members of JSON at every depth, renamed one way or the other.
    pub fn json(&self, value: Value) -> Value {
        match value {
            Value::Array(items) => items.into_iter().map(|item| self.json(item)).collect(),
            Value::Object(members) => members
                .into_iter()
                .map(|(name, value)| (other(self.members, &name).to_owned(), self.json(value)))
                .collect(),
            plain => plain,
        }
    }

    /// The members of a refusal, and their names in its sentences and in the places that it names: a
    /// server speaks of a member by the name that it has.
    pub fn refusal(&self, value: Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.sentence(&text)),
            Value::Array(items) => items.into_iter().map(|item| self.refusal(item)).collect(),
            Value::Object(members) => members
                .into_iter()
                .map(|(name, value)| (other(self.members, &name).to_owned(), self.refusal(value)))
                .collect(),
            plain => plain,
        }
    }

    fn sentence(&self, text: &str) -> String {
        let is_of_name = |c: char| c.is_alphanumeric() || c == '_';
        let mut renamed = String::new();
        for part in text.split_inclusive(|c| !is_of_name(c)) {
            let word = part.trim_end_matches(|c| !is_of_name(c));
            renamed += other(self.members, word);
            renamed += &part[word.len()..];
        }
        renamed
    }

    /// The cookies of a request's `Cookie`.
    pub fn cookies(&self, header: &str) -> String {
        let cookies = header.split("; ").map(|cookie| self.cookie(cookie));
        cookies.collect::<Vec<_>>().join("; ")
    }

    /// The cookie of an answer's `Set-Cookie`, or one of a request.
    pub fn cookie(&self, cookie: &str) -> String {
        match cookie.split_once('=') {
            Some((name, rest)) => format!("{}={rest}", other(self.cookies, name)),
            None => cookie.to_owned(),
        }
    }
}

/// The name that a name changes places with.
fn other(pairs: Pairs, name: &str) -> &str {
    let mut pairs = pairs.iter();
    let found = pairs.find_map(|(one, other)| match name {
        _ if name == *one => Some(*other),
        _ if name == *other => Some(*one),
        _ => None,
    });
    found.unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const RENAMING: Renaming = Renaming {
        paths: &[("/auth/login", "/g/enter")],
        members: &[("email", "mm1"), ("access_token", "mm2")],
        cookies: &[("session", "kk")],
    };

    #[test]
    fn a_request_gets_the_servers_names_and_an_answer_the_others() {
        assert_eq!(RENAMING.path("/g/enter"), Some("/auth/login"));
        let (inside, outside) = (
            json!({"email": "a@b.c", "more": [{"access_token": "email"}]}),
            json!({"mm1": "a@b.c", "more": [{"mm2": "email"}]}),
        );
        assert_eq!(RENAMING.json(outside.clone()), inside);
        assert_eq!(RENAMING.json(inside), outside);
        assert_eq!(RENAMING.form("mm1=a%40b.c&x=1"), "email=a%40b.c&x=1");
        assert_eq!(RENAMING.form("email=a%40b.c&x=1"), "mm1=a%40b.c&x=1");
        assert_eq!(RENAMING.cookies("a=1; kk=2=3"), "a=1; session=2=3");
        assert_eq!(
            RENAMING.cookie("session=2=3; Path=/; HttpOnly"),
            "kk=2=3; Path=/; HttpOnly"
        );
    }

    #[test]
    fn the_servers_own_names_mean_nothing_any_more() {
        assert_eq!(RENAMING.path("/auth/login"), None);
        let asked = json!({"email": "a@b.c"});
        assert_eq!(RENAMING.json(asked), json!({"mm1": "a@b.c"}));
        assert_eq!(RENAMING.cookies("session=1"), "kk=1");
    }

    #[test]
    fn a_refusal_speaks_of_a_member_by_its_other_name() {
        let refusal = json!({
            "email": ["[body.email] wanted", "emails are not"],
            "details": [{"path": ["email"], "message": "email is a required field"}],
        });
        let renamed = json!({
            "mm1": ["[body.mm1] wanted", "emails are not"],
            "details": [{"path": ["mm1"], "message": "mm1 is a required field"}],
        });
        assert_eq!(RENAMING.refusal(refusal), renamed);
    }

    #[test]
    fn without_names_everything_stays() {
        let nothing = Renaming::default();
        assert_eq!(nothing.path("/any/path"), Some("/any/path"));
        assert_eq!(nothing.form("a=%61&b"), "a=%61&b");
    }
}
