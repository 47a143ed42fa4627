//! The page that the browser shows when the app has heard what it wanted to know. It holds nothing of the
//! sign-in: no code, no name, no script, no address of somebody else's.

/// The words of the page. The browser shows it after a refusal too, before the app has exchanged the code,
/// so they must not say that somebody is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DonePage {
    /// The language of the words (BCP 47).
    pub language: String,
    /// The heading.
    pub title: String,
    /// What to do now.
    pub text: String,
}

impl Default for DonePage {
    fn default() -> Self {
        Self {
            language: "en".into(),
            title: "Back to the app".into(),
            text: "You can close this page and go back to the app.".into(),
        }
    }
}

impl DonePage {
    pub(super) fn html(&self) -> String {
        let Self {
            language,
            title,
            text,
        } = self;
        let [language, title, text] = [language, title, text].map(|words| escaped(words));
        format!(
            "<!doctype html><html lang=\"{language}\" dir=\"auto\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\">\
             <meta name=\"color-scheme\" content=\"light dark\"><title>{title}</title>\
             <style>body{{font:16px/1.5 system-ui,sans-serif;max-width:28em;margin:20vh auto 0;\
             padding:0 1.5em}}</style><h1>{title}</h1><p>{text}</p></html>"
        )
    }
}

/// The text as HTML shows it.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_words() {
        let page = DonePage {
            language: "\"><script>".into(),
            title: "A & B".into(),
            text: "<img src=x>".into(),
        };
        let html = page.html();
        assert!(
            !html.contains("<script") && !html.contains("<img"),
            "{html}"
        );
        assert!(html.contains("A &amp; B"));
    }
}
