//! What a page at which people sign in means.
//!
//! It is judged with care: one that looks like that for a redirect which nobody can have registered says
//! nothing, and neither does a refusal that does not say of what.

use url::Url;
use vestibule_core::Obstacle;

/// What a request for the page has brought.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// The browser is sent back to where the request said, with this error or without.
    Back(Option<String>),
    /// It is sent to another page.
    Elsewhere(String),
    /// The page itself.
    Shown(u16, String),
    NoAnswer(Obstacle),
}

/// What a page says about the client and the redirect of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Accepted(String),
    /// The client, or how it is registered.
    ClientRefused(String),
    RedirectRefused(String),
    NoPage(String),
    Unclear(String),
}

/// Errors that say that a person has to do something first, or that it is a bad moment: the request was
/// understood (OpenID Connect Core §3.1.2.6).
const UNDERSTOOD: [&str; 7] = [
    "access_denied",
    "account_selection_required",
    "consent_required",
    "interaction_required",
    "login_required",
    "server_error",
    "temporarily_unavailable",
];

/// What a redirect to `to` means for a request at `asked`.
pub(super) fn sent_to(to: &Url, asked: &Url) -> Page {
    let wanted = asked.query_pairs().find(|(name, _)| name == "redirect_uri");
    let is_back = wanted.is_some_and(|(_, wanted)| plain(to) == wanted);
    if !is_back {
        return Page::Elsewhere(plain(to));
    }
    // Answers with tokens come behind `#` (OAuth 2.0 Multiple Response Types §3).
    let fragment = to.fragment().unwrap_or_default();
    let of_fragment = url::form_urlencoded::parse(fragment.as_bytes());
    let mut all = to.query_pairs().chain(of_fragment);
    let error = all.find(|(name, _)| name == "error");
    Page::Back(error.map(|(_, error)| error.into_owned()))
}

/// Without what may hold a secret.
fn plain(address: &Url) -> String {
    let mut plain = address.clone();
    plain.set_query(None);
    plain.set_fragment(None);
    plain.to_string()
}

impl Page {
    /// Whether the provider seems to go on with the request.
    pub(super) fn goes_on(&self) -> bool {
        match self {
            Self::Back(None) | Self::Elsewhere(_) | Self::Shown(200..=399, _) => true,
            Self::Back(Some(error)) => UNDERSTOOD.contains(&error.as_str()),
            Self::Shown(..) | Self::NoAnswer(_) => false,
        }
    }

    /// Whether it refuses the request for what stands in it.
    pub(super) fn is_refusal(&self) -> bool {
        match self {
            Self::Back(Some(error)) => !UNDERSTOOD.contains(&error.as_str()),
            Self::Shown(status, _) => matches!(status, 400 | 401 | 422),
            Self::Back(None) | Self::Elsewhere(_) | Self::NoAnswer(_) => false,
        }
    }

    /// Whether nobody who sees no more than the kind of the answer can tell the two apart.
    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Shown(one, _), Self::Shown(another, _)) => one == another,
            _ => self == other,
        }
    }

    pub(super) fn words(&self) -> String {
        match self {
            Self::Back(Some(error)) => format!("back to the app with the error {error}"),
            Self::Back(None) => "back to the app".into(),
            Self::Elsewhere(to) => format!("on to {to}"),
            Self::Shown(status, _) => format!("{status} and a page"),
            Self::NoAnswer(obstacle) => obstacle.words().problem.into(),
        }
    }

    /// What it says of the client and the redirect, where `foreign` came for a redirect that nobody has
    /// registered.
    pub(super) fn verdict(&self, foreign: &Self) -> Verdict {
        let words = self.words();
        match self {
            Self::Back(Some(_)) if self.is_refusal() => Verdict::ClientRefused(words),
            Self::Back(_) => Verdict::Accepted(words),
            Self::Shown(404 | 405 | 410, _) => Verdict::NoPage(words),
            Self::Shown(_, text) if self.is_refusal() => match (REDIRECT, CLIENT).said_in(text) {
                (true, false) => Verdict::RedirectRefused(format!("{words}, about the redirect")),
                (false, true) => Verdict::ClientRefused(format!("{words}, about the client")),
                _ => Verdict::Unclear(format!("{words}, which does not say what is wrong")),
            },
            _ if !self.goes_on() => Verdict::Unclear(words),
            _ if self.is_like(foreign) => Verdict::Unclear(format!(
                "{words}, as for a redirect that nobody has registered: it says nothing"
            )),
            _ if matches!(foreign, Self::NoAnswer(_)) => Verdict::Unclear(words),
            _ => Verdict::Accepted(words),
        }
    }
}

/// Words of pages that refuse the redirect.
const REDIRECT: [&str; 7] = [
    "redirect_uri",
    "redirect uri",
    "redirect url",
    "callback url",
    "callback_url",
    "reply url",
    "return url",
];
/// Words of pages that refuse the client.
const CLIENT: [&str; 6] = [
    "client_id",
    "client id",
    "invalid_client",
    "unauthorized_client",
    "unknown client",
    "client not found",
];

trait SaidIn {
    fn said_in(&self, text: &str) -> (bool, bool);
}

impl<const A: usize, const B: usize> SaidIn for ([&str; A], [&str; B]) {
    fn said_in(&self, text: &str) -> (bool, bool) {
        let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
        (says(&self.0), says(&self.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REDIRECT_URI: &str = "http://127.0.0.1:4000/callback";

    fn asked_at() -> Url {
        let mut url: Url = "https://id.example/authorize".parse().unwrap();
        url.query_pairs_mut()
            .append_pair("redirect_uri", REDIRECT_URI);
        url
    }

    fn to(address: &str) -> Page {
        sent_to(&address.parse().unwrap(), &asked_at())
    }

    fn shown(status: u16, text: &str) -> Page {
        Page::Shown(status, text.to_lowercase())
    }

    #[test]
    fn a_redirect_back_is_told_from_one_to_a_page_of_the_provider() {
        let back = |error: Option<&str>| Page::Back(error.map(str::to_owned));
        assert_eq!(to(&format!("{REDIRECT_URI}?code=c&state=s")), back(None));
        let refused = back(Some("invalid_request"));
        assert_eq!(
            to(&format!("{REDIRECT_URI}?error=invalid_request")),
            refused
        );
        assert_eq!(
            to(&format!("{REDIRECT_URI}#error=invalid_request")),
            refused
        );
        let page = Page::Elsewhere("https://id.example/login".into());
        assert_eq!(to("https://id.example/login?error=x#y"), page);
        assert_eq!(
            to("http://127.0.0.1:4001/callback?error=x"),
            Page::Elsewhere("http://127.0.0.1:4001/callback".into()),
            "another port is not the redirect"
        );
    }

    #[test]
    fn a_page_that_looks_the_same_for_anybody_says_nothing() {
        let foreign_refused = shown(400, "redirect_uri: no");
        let is_accepted =
            |page: &Page, foreign: &Page| matches!(page.verdict(foreign), Verdict::Accepted(_));
        let login = to("https://id.example/login?x=1");
        assert!(is_accepted(&shown(200, "sign in"), &foreign_refused));
        assert!(is_accepted(&login, &foreign_refused));
        assert!(is_accepted(
            &to(&format!("{REDIRECT_URI}?error=login_required")),
            &login
        ));
        for (page, foreign) in [
            (
                shown(200, "sign in"),
                shown(200, "AADSTS50011: the redirect URI is wrong"),
            ),
            (
                to("https://id.example/login?x=1"),
                to("https://id.example/login?x=2"),
            ),
            (shown(200, "sign in"), Page::NoAnswer(Obstacle::TimedOut)),
            (
                shown(400, "something is wrong"),
                shown(400, "something is wrong"),
            ),
            (shown(400, "client_id=a&redirect_uri=b"), shown(400, "no")),
            (shown(503, "redirect_uri"), shown(400, "no")),
            (shown(429, "client_id"), shown(400, "no")),
            (Page::NoAnswer(Obstacle::TimedOut), shown(400, "no")),
        ] {
            let verdict = page.verdict(&foreign);
            assert!(
                matches!(verdict, Verdict::Unclear(_)),
                "{page:?}: {verdict:?}"
            );
        }
    }

    #[test]
    fn a_refusal_is_of_what_it_names() {
        let foreign = shown(400, "no");
        let of = |page: Page| page.verdict(&foreign);
        assert!(matches!(
            of(shown(400, "Redirect URI mismatch")),
            Verdict::RedirectRefused(_)
        ));
        assert!(matches!(
            of(shown(401, "The OAuth client was not found: invalid_client")),
            Verdict::ClientRefused(_)
        ));
        let back = to(&format!("{REDIRECT_URI}?error=unauthorized_client"));
        assert!(matches!(of(back), Verdict::ClientRefused(_)));
        assert!(matches!(of(shown(404, "no")), Verdict::NoPage(_)));
    }
}
