//! A person's browser: it keeps cookies, follows redirects, and sends the forms that the person fills in.

use cookie_store::CookieStore;
use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::redirect::Policy;
use url::Url;

use crate::form::Form;

/// The most pages and redirects between a click and its end.
const MOST_STEPS: usize = 30;

/// A browser with the cookies of one person.
pub struct Browser {
    client: reqwest::Client,
    cookies: CookieStore,
}

/// Where the browser is.
#[derive(Debug)]
pub enum Shown {
    /// A page with a form.
    Form(Form),
    /// A page without one.
    Page { status: u16, text: String },
    /// It has left to the app that has this scheme.
    App(Url),
    /// Nobody listens there.
    Nobody,
}

impl Browser {
    /// A browser that knows nobody.
    pub fn new() -> Self {
        let client = reqwest::Client::builder().redirect(Policy::none());
        Self {
            client: client.no_proxy().build().expect("a client"),
            cookies: CookieStore::new(),
        }
    }

    /// Opens an address.
    pub async fn open(&mut self, address: &Url) -> Shown {
        self.go(address.clone(), None).await
    }

    /// Sends a form.
    pub async fn send(&mut self, form: Form, typed: &[(&str, &str)], yes: bool) -> Shown {
        let action = form.action.clone();
        self.go(action, Some(form.filled(typed, yes))).await
    }

    /// Opens an address and says yes to everything until no page asks more.
    pub async fn say_yes(&mut self, address: &Url, typed: &[(&str, &str)]) -> Shown {
        let mut shown = self.open(address).await;
        let mut was_asked = false;
        for _ in 0..MOST_STEPS {
            match shown {
                Shown::Form(form) => {
                    let wants = form.wants_password();
                    assert!(!(wants && was_asked), "the right password is refused");
                    was_asked |= wants;
                    shown = self.send(form, typed, true).await;
                }
                over => return over,
            }
        }
        panic!("the pages have no end");
    }

    async fn go(&mut self, mut address: Url, mut form: Option<Vec<(String, String)>>) -> Shown {
        for _ in 0..MOST_STEPS {
            if !matches!(address.scheme(), "http" | "https") {
                return Shown::App(address);
            }
            let request = match form.take() {
                Some(fields) => {
                    let origin = address.origin().ascii_serialization();
                    let request = self.client.post(address.clone()).form(&fields);
                    request.header("origin", origin)
                }
                None => self.client.get(address.clone()),
            };
            let request = request.header("accept", "text/html");
            let held: Vec<_> = (self.cookies.get_request_values(&address))
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            let request = match held.is_empty() {
                true => request,
                false => request.header(COOKIE, held.join("; ")),
            };
            let answer = match request.send().await {
                Err(error) if error.is_connect() => return Shown::Nobody,
                answer => answer.unwrap_or_else(|error| panic!("the browser sees: {error}")),
            };
            for text in answer.headers().get_all(SET_COOKIE) {
                let text = text.to_str().expect("a text");
                // What a browser does not keep, it does not keep.
                let _ = self.cookies.parse(text, &address);
            }
            let next = answer
                .headers()
                .get(LOCATION)
                .filter(|_| answer.status().is_redirection());
            if let Some(next) = next {
                let next = next.to_str().expect("a text");
                address = address.join(next).expect("an address");
                continue;
            }
            let status = answer.status().as_u16();
            let text = answer.text().await.expect("a page");
            return match Form::of(&address, &text) {
                Some(form) => Shown::Form(form),
                None => Shown::Page { status, text },
            };
        }
        panic!("the redirects have no end");
    }
}
