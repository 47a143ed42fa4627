//! The form of a page: enough of HTML to read what a browser would send.

use url::Url;

/// The first form of a page.
#[derive(Debug, PartialEq, Eq)]
pub struct Form {
    /// Where it goes.
    pub action: Url,
    fields: Vec<(String, String)>,
    /// The button that has a name, if there is one: it says yes.
    yes: Option<(String, String)>,
}

impl Form {
    /// Reads the first form that is sent by `POST`.
    pub fn of(page: &Url, html: &str) -> Option<Self> {
        let start = html.find("<form")?;
        let whole = &html[start..];
        let whole = whole.find("</form").map_or(whole, |end| &whole[..end]);
        let mut tags = tags(whole);
        let form = tags.next()?;
        let method = attribute(form, "method")?;
        if !method.eq_ignore_ascii_case("post") {
            return None;
        }
        let action = attribute(form, "action").unwrap_or_default();
        let mut read = Self {
            action: page.join(&action).ok()?,
            fields: Vec::new(),
            yes: None,
        };
        for tag in tags {
            let is_button = tag.starts_with("<button");
            let Some(name) = attribute(tag, "name").filter(|_| is_button || is_input(tag)) else {
                continue;
            };
            let value = attribute(tag, "value").unwrap_or_default();
            match is_button || attribute(tag, "type").as_deref() == Some("submit") {
                true => read.yes = Some((name, value)),
                false => read.fields.push((name, value)),
            }
        }
        Some(read)
    }

    /// Whether it asks for a password.
    pub fn wants_password(&self) -> bool {
        self.fields.iter().any(|(name, _)| name == "password")
    }

    /// What is sent once this is typed. Who says no presses the button without that name, and a page of
    /// ours is told `cancel`.
    pub fn filled(self, typed: &[(&str, &str)], yes: bool) -> Vec<(String, String)> {
        let typed = |name: &str| typed.iter().find(|(known, _)| *known == name);
        let mut fields: Vec<_> = (self.fields.into_iter())
            .map(|(name, value)| match typed(&name) {
                Some((_, typed)) => (name, (*typed).to_owned()),
                None => (name, value),
            })
            .collect();
        match yes {
            true => fields.extend(self.yes),
            false => fields.push(("cancel".into(), "yes".into())),
        }
        fields
    }
}

fn is_input(tag: &str) -> bool {
    tag.starts_with("<input")
}

/// The tags of a text, in order. A sign `>` in an attribute would end one early: the pages here have
/// none.
fn tags(html: &str) -> impl Iterator<Item = &str> {
    html.split_inclusive('>')
        .filter_map(|part| part.find('<').map(|start| &part[start..]))
}

/// The value of an attribute with quotes.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut rest = tag;
    while let Some(at) = rest.find(name) {
        let is_whole = rest[..at].ends_with(char::is_whitespace);
        rest = &rest[at + name.len()..];
        let Some(value) = rest.trim_start().strip_prefix('=').filter(|_| is_whole) else {
            continue;
        };
        let value = value.trim_start();
        let quote = value.chars().next().filter(|sign| "\"'".contains(*sign))?;
        let value = value[1..].split(quote).next()?;
        return Some(unescaped(value));
    }
    None
}

fn unescaped(text: &str) -> String {
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ]
    .into_iter()
    .fold(text.to_owned(), |text, (entity, sign)| {
        text.replace(entity, sign)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_a_browser_sends_it() {
        let page = Url::parse("http://127.0.0.1:1/a/b").unwrap();
        let html = "<p>x</p><form id=\"f\" method='POST' action=\"/c?d=1&amp;e=2\">
            <input type=\"hidden\" name=\"xsrf\" value=\"&quot;1&quot;\"/>
            <input type=\"text\" name=\"username\" autofocus><input\n name=\"password\" type=\"password\">
            <input type=\"submit\" value=\"No\"><input type=\"submit\" name=\"allow\" value=\"Yes\">
            </form><button name=\"abort\" value=\"1\">";
        let form = || Form::of(&page, html).expect("a form");
        assert_eq!(form().action.as_str(), "http://127.0.0.1:1/c?d=1&e=2");
        assert!(form().wants_password());
        let typed = [("username", "ann"), ("password", "p"), ("code", "c")];
        let sent = form().filled(&typed, true);
        let sent: Vec<_> = (sent.iter())
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let wanted = [
            ("xsrf", "\"1\""),
            ("username", "ann"),
            ("password", "p"),
            ("allow", "Yes"),
        ];
        assert_eq!(sent, wanted);
        let refused = form().filled(&typed, false);
        assert!(refused.iter().all(|(name, _)| name != "allow"));
        assert_eq!(Form::of(&page, "<form action=\"/search\"></form>"), None);
    }
}
