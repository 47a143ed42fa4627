//! The page at which people sign in, asked as a browser would open it, by the app's own request and by
//! some that it should refuse. Nobody signs in.
//!
//! What a page means is judged with care: one that looks like that for a redirect which nobody can have
//! registered says nothing, and neither does a refusal that does not say of what.

use std::sync::Arc;
use std::time::Duration;

use url::Url;
use vestibule_core::Obstacle;
use vestibule_core::backend::Provider;
use vestibule_core::browser::Listener;
use vestibule_core::profile::RedirectBy;
use vestibule_core::transport::{
    HeaderMap, HeaderValue, HttpRequest, Method, RequestBody, Transport as _, TransportError,
};

use super::{Judged, NotTried, Observations, Probe};
use crate::client::Client;
use crate::finding::{Finding, Side};
use crate::stop::Stopped;

const TIMEOUT: Duration = Duration::from_secs(15);
/// How much of a page is read: a refusal says why at its beginning.
const LARGEST: usize = 256 * 1024;
/// A redirect that nobody has registered: no name ends like that (RFC 2606 §2).
const FOREIGN: &str = "https://vestibule-doctor.invalid/callback";

/// Whom the provider lets in, as far as its page tells.
#[derive(Default)]
pub(crate) struct Pages(Probe<Asked>);

struct Asked {
    /// The request of the app.
    first: Page,
    /// The same with another port; none where the profile names the ports.
    other_port: Option<Page>,
    foreign: Page,
    without_pkce: Page,
    implicit: Page,
}

impl Pages {
    pub(crate) fn skipped(why: impl Into<String>) -> Self {
        Self(Probe::skipped(why))
    }
}

/// What a request for the page has brought.
#[derive(Debug, PartialEq, Eq)]
enum Page {
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
enum Verdict {
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

/// Asks for the page, by the app's own request and by others.
pub(crate) async fn look(
    client: &mut Client,
    seen: &mut Observations<'_>,
    provider: &Arc<Provider>,
) -> Result<(), Stopped> {
    let asked = ask_all(client, seen, provider).await?;
    seen.pages = Pages(Probe::from(asked));
    Ok(())
}

async fn ask_all(
    client: &Client,
    seen: &Observations<'_>,
    provider: &Arc<Provider>,
) -> Result<Result<Asked, String>, Stopped> {
    let Some(browser) = seen.plan.profile.browser.get() else {
        return Ok(Err("the profile has no section `browser`".into()));
    };
    if !seen.plan.client_is_named {
        return Ok(Err(
            "name the app as it is registered there, with --client-id".into(),
        ));
    }
    if browser.redirect() == RedirectBy::Scheme {
        return Ok(Err(
            "the browser comes back by the app's scheme, which the app alone has".into(),
        ));
    }
    client.begin("opening the provider's sign-in page, as the app would")?;
    // Held until the end, so that the second has another port.
    let listener = match Listener::bind(browser.loopback, &browser.ports).await {
        Ok(listener) => listener,
        Err(error) => {
            return Ok(Err(format!(
                "no port of this computer can be listened on: {}",
                error.kind()
            )));
        }
    };
    let button = browser.button(None);
    let authorization = match &button {
        Some(button) => client.authorize(provider, listener.redirect(), button),
        None => return Ok(Err("the profile has no button".into())),
    };
    let address = match authorization {
        Ok(authorization) => authorization.address,
        Err(error) => return Ok(Err(error.message)),
    };
    let first = ask(client, &address).await?;
    let other_port = match browser.ports.is_empty() {
        true => match Listener::bind(browser.loopback, &[]).await {
            Ok(other) => {
                let address = with(&address, "redirect_uri", Some(&other.redirect()));
                Some(ask(client, &address).await?)
            }
            Err(_) => None,
        },
        false => None,
    };
    let foreign = ask(client, &with(&address, "redirect_uri", Some(FOREIGN))).await?;
    let without_pkce = with(&address, "code_challenge", None);
    let without_pkce = ask(client, &with(&without_pkce, "code_challenge_method", None)).await?;
    let implicit = ask(client, &with(&address, "response_type", Some("token"))).await?;
    Ok(Ok(Asked {
        first,
        other_port,
        foreign,
        without_pkce,
        implicit,
    }))
}

/// The address with another value of a parameter, or without it.
fn with(address: &Url, name: &str, value: Option<&str>) -> Url {
    let mut changed = address.clone();
    let others = address.query_pairs().filter(|(held, _)| held != name);
    changed.query_pairs_mut().clear().extend_pairs(others);
    if let Some(value) = value {
        changed.query_pairs_mut().append_pair(name, value);
    }
    changed
}

async fn ask(client: &Client, address: &Url) -> Result<Page, Stopped> {
    let mut headers = HeaderMap::new();
    headers.insert("accept", HeaderValue::from_static("text/html, */*;q=0.5"));
    headers.insert("accept-encoding", HeaderValue::from_static("identity"));
    let request = HttpRequest {
        method: Method::GET,
        url: address.clone(),
        headers,
        body: RequestBody::Empty,
        new_connection: false,
    };
    let work = async {
        let mut response = client.transport().send(request).await?;
        let status = response.status.as_u16();
        let location = response.headers.get("location");
        let location = location.filter(|_| response.status.is_redirection());
        let location = location.and_then(|to| address.join(to.to_str().ok()?).ok());
        if let Some(to) = location {
            return Ok(sent_to(&to, address));
        }
        let mut body = Vec::new();
        while let Some(piece) = response.body.chunk().await? {
            body.extend_from_slice(&piece);
            if body.len() > LARGEST {
                break;
            }
        }
        let text = String::from_utf8_lossy(&body).to_lowercase();
        Ok(Page::Shown(status, text))
    };
    let answer = client.stop.race(tokio::time::timeout(TIMEOUT, work));
    let answer = answer.await?.unwrap_or(Err(TransportError::TimedOut));
    Ok(answer.unwrap_or_else(|error| Page::NoAnswer(error.obstacle())))
}

/// What a redirect to `to` means for a request at `asked`.
fn sent_to(to: &Url, asked: &Url) -> Page {
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
    fn goes_on(&self) -> bool {
        match self {
            Self::Back(None) | Self::Elsewhere(_) | Self::Shown(200..=399, _) => true,
            Self::Back(Some(error)) => UNDERSTOOD.contains(&error.as_str()),
            Self::Shown(..) | Self::NoAnswer(_) => false,
        }
    }

    /// Whether it refuses the request for what stands in it.
    fn is_refusal(&self) -> bool {
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

    fn words(&self) -> String {
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
    fn verdict(&self, foreign: &Self) -> Verdict {
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

const SENT: &str = "the app's request";

fn asked<'a>(seen: &'a Observations<'_>) -> Result<&'a Asked, NotTried> {
    seen.pages.0.result()
}

pub(crate) fn client(seen: &Observations<'_>) -> Judged {
    let asked = asked(seen)?;
    Ok(match asked.first.verdict(&asked.foreign) {
        Verdict::Accepted(got) => Finding::yes(SENT, got),
        Verdict::RedirectRefused(got) => Finding::yes(SENT, format!("{got}: the client is known")),
        Verdict::Unclear(got) => Finding::unclear(SENT, got),
        Verdict::NoPage(got) => Finding::no(SENT, got).advise(
            Side::Provider,
            "serve the page that the discovery, or the profile, names for the sign-in",
        ),
        Verdict::ClientRefused(got) => Finding::no(SENT, got)
            .advise(
                Side::Profile,
                "check browser.client_id, browser.scopes and browser.parameters",
            )
            .advise(
                Side::Provider,
                "register the app as a native (public) client, with the code flow and PKCE",
            ),
    })
}

const REGISTER: &str = "let the client come back to this computer with any port (RFC 8252 §7.3): register \
                        http://127.0.0.1/callback as the redirect of a native app";
const PORTS: &str = "or register some ports there, and name them in browser.ports";

pub(crate) fn loopback(seen: &Observations<'_>) -> Judged {
    let asked = asked(seen)?;
    let refused = |got: String| {
        Finding::no(SENT, got)
            .advise(Side::Provider, REGISTER)
            .advise(Side::Profile, PORTS)
    };
    let first = match asked.first.verdict(&asked.foreign) {
        Verdict::Accepted(got) => got,
        Verdict::RedirectRefused(got) => return Ok(refused(got)),
        Verdict::ClientRefused(_) | Verdict::NoPage(_) => return not_asked(),
        Verdict::Unclear(got) => return Ok(Finding::unclear(SENT, got)),
    };
    let Some(other) = &asked.other_port else {
        return Ok(Finding::yes(
            SENT,
            format!("{first}: by a port of the profile"),
        ));
    };
    let sent = "the same with another port";
    Ok(match other.verdict(&asked.foreign) {
        Verdict::Accepted(_) => Finding::yes(sent, "both are taken"),
        Verdict::RedirectRefused(got) => {
            refused(format!("{got}: one port is taken, another is not"))
        }
        Verdict::ClientRefused(got) | Verdict::NoPage(got) | Verdict::Unclear(got) => {
            Finding::unclear(sent, got)
        }
    })
}

fn not_asked() -> Judged {
    let why = "the provider does not take the client, as far as its page tells";
    Err(NotTried::Because(why.into()))
}

/// The pages, where the app's own request was taken.
fn taken<'a>(seen: &'a Observations<'_>) -> Result<&'a Asked, NotTried> {
    let asked = asked(seen)?;
    match asked.first.verdict(&asked.foreign) {
        Verdict::Accepted(_) => Ok(asked),
        _ => not_asked().and(Err(NotTried::NotRun)),
    }
}

pub(crate) fn foreign_redirect(seen: &Observations<'_>) -> Judged {
    let asked = taken(seen)?;
    let sent = "a redirect to elsewhere";
    let got = asked.foreign.words();
    Ok(match &asked.foreign {
        // Any answer there is one too many: the next one may hold a code.
        Page::Back(_) => Finding::no(sent, got).advise(
            Side::Provider,
            "send nobody to an address that is not registered: a code that goes there is lost",
        ),
        page if page.is_refusal() => Finding::yes(sent, got),
        _ => Finding::unclear(sent, got),
    })
}

pub(crate) fn pkce_demanded(seen: &Observations<'_>) -> Judged {
    let asked = taken(seen)?;
    refused(
        "a request without PKCE",
        &asked.without_pkce,
        "demand PKCE of this client: another app on the same machine could send a request without, and \
         use the code that it catches",
    )
}

pub(crate) fn implicit(seen: &Observations<'_>) -> Judged {
    let asked = taken(seen)?;
    refused(
        "response_type=token",
        &asked.implicit,
        "switch the implicit flow off for this client (RFC 9700 §2.1.2): it puts tokens into addresses",
    )
}

/// A request that the provider should refuse.
fn refused(sent: &str, page: &Page, advice: &str) -> Judged {
    let got = page.words();
    Ok(match () {
        () if page.is_refusal() => Finding::yes(sent, got),
        () if page.goes_on() => {
            Finding::no(sent, format!("{got}: not refused")).advise(Side::Provider, advice)
        }
        () => Finding::unclear(sent, got),
    })
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
