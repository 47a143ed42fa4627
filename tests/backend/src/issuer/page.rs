//! The issuer's pages: plain HTML without scripts, which say that they are for development.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};

use super::authorize::NextStep;
use super::refusal::OauthRefusal;
use crate::html::escape;

/// A form on which a person says who they are.
pub(super) struct Form {
    title: String,
    /// What goes along with what a person types.
    hidden: Vec<(String, String)>,
    /// The code that another device shows, where this is a page for that.
    user_code: Option<String>,
    email: String,
    /// Where the code comes from that is asked for, in the place of a password.
    code_from: Option<&'static str>,
    words: Option<String>,
}

impl Form {
    /// Signs in to an app whose request has these parameters.
    pub fn authorize<'a>(
        app: &str,
        request: impl Iterator<Item = (&'a str, &'a str)>,
        hint: Option<&str>,
    ) -> Self {
        Self {
            title: format!("Sign in to {app}"),
            hidden: request
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            user_code: None,
            email: hint.unwrap_or_default().to_owned(),
            code_from: None,
            words: None,
        }
    }

    /// Approves a device.
    pub fn device(user_code: Option<&str>, words: Option<&str>) -> Self {
        Self {
            title: "Sign in on another device".into(),
            hidden: Vec::new(),
            user_code: Some(user_code.unwrap_or_default().to_owned()),
            email: String::new(),
            code_from: None,
            words: words.map(str::to_owned),
        }
    }

    /// Asks for what is still missing.
    pub fn ask(&mut self, next: &NextStep, app: &str) {
        self.email.clone_from(&next.email);
        self.words.clone_from(&next.words);
        self.code_from = next.code.as_ref().map(|code| code.from);
        if let Some(code) = &next.code {
            self.hidden.push(("attempt".into(), code.attempt.clone()));
            self.hidden.push(("from".into(), code.from.into()));
            self.title = format!("Enter the code for {app}");
        }
    }
}

pub(super) fn form(form: &Form) -> Response<Body> {
    let mut fields = String::new();
    let mut add = |field: String| fields += &field;
    for (name, value) in &form.hidden {
        add(hidden(name, value));
    }
    if let Some(words) = &form.words {
        add(format!("<p role=\"alert\">{}</p>", escape(words)));
    }
    if let Some(code) = &form.user_code {
        add(field(
            "user_code",
            "Code on the device",
            "text",
            "off",
            code,
        ));
    }
    if let Some(from) = form.code_from {
        let label = match from {
            "app" => "Code of your authenticator app, or a recovery code",
            _ => "Code that was sent to you, or a recovery code",
        };
        add(hidden("email", &form.email));
        add(field("code", label, "text", "one-time-code", ""));
    } else {
        add(field("email", "E-mail", "email", "username", &form.email));
        add(field(
            "password",
            "Password",
            "password",
            "current-password",
            "",
        ));
    }
    let body = format!(
        "<form method=\"post\">{fields}\
         <p><button name=\"decision\" value=\"allow\">Sign in</button> \
         <button name=\"decision\" value=\"refuse\" formnovalidate>Cancel</button></p></form>"
    );
    html(StatusCode::OK, &form.title, &body)
}

/// A page with a message.
pub(super) fn message(title: &str, words: &str) -> Response<Body> {
    html(StatusCode::OK, title, &format!("<p>{}</p>", escape(words)))
}

/// The page for a request that goes back to no app, because it does not say to a registered one.
pub(super) fn refused(refusal: &OauthRefusal) -> Response<Body> {
    let words = format!(
        "<p role=\"alert\">{} ({})</p><p>The app that opened this page has to mend it.</p>",
        escape(&refusal.words),
        refusal.error
    );
    html(refusal.status, "This request cannot be answered", &words)
}

/// Refuses a form that was not sent by a page of this issuer: browsers say where one comes from, and a
/// page elsewhere must not sign anybody in here.
pub(super) fn require_own_form(headers: &HeaderMap) -> Result<(), OauthRefusal> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(header::HOST).unwrap_or_default();
    let is_own = text(header::ORIGIN).is_none_or(|origin| origin == format!("http://{host}"));
    match is_own {
        true => Ok(()),
        false => Err(OauthRefusal::invalid_request(
            "the form was sent by a page of another origin",
        )),
    }
}

fn hidden(name: &str, value: &str) -> String {
    let (name, value) = (escape(name), escape(value));
    format!("<input type=\"hidden\" name=\"{name}\" value=\"{value}\">")
}

fn field(name: &str, label: &str, kind: &str, autocomplete: &str, value: &str) -> String {
    format!(
        "<p><label for=\"{name}\">{label}</label><br><input id=\"{name}\" name=\"{name}\" \
         type=\"{kind}\" autocomplete=\"{autocomplete}\" value=\"{}\" required></p>",
        escape(value)
    )
}

fn html(status: StatusCode, title: &str, body: &str) -> Response<Body> {
    let title = escape(title);
    let page = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\
         <style>:root{{color-scheme:light dark}}body{{font:1rem/1.5 system-ui,sans-serif;\
         max-width:24rem;margin:3rem auto;padding:0 1rem}}input{{font:inherit;width:100%;\
         box-sizing:border-box;padding:.4rem}}button{{font:inherit;padding:.4rem 1rem}}\
         small{{opacity:.7}}</style><h1>{title}</h1>{body}\
         <p><small>Vestibule's bundled backend, for development only.</small></p></html>"
    );
    let mut response = Response::new(Body::from(page));
    *response.status_mut() = status;
    let own = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "same-origin"),
        // No `form-action`: Chromium applies it to the redirect that answers a form, which leads to
        // a port or a scheme of the app's.
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
        ),
    ];
    for (name, value) in own {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}
