//! Codes that a mail server would have sent: printed on the console, and shown on a page that
//! exists in development only. Kept in memory; the last hundred mails.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::clock::{Millis, iso8601};

const MAX_MAILS: usize = 100;

/// A mail with a code.
#[derive(Clone)]
pub(crate) struct Mail {
    pub to: String,
    pub subject: String,
    pub text: String,
    pub code: String,
    pub at: Millis,
}

impl Mail {
    /// The mail that carries a code, in the language of the account.
    pub fn with_code(to: &str, locale: &str, code: String, at: Millis) -> Self {
        let (subject, lead) = match locale.split('-').next() {
            Some("de") => ("Ihr Anmeldecode", "Ihr Code lautet"),
            Some("fr") => ("Votre code de connexion", "Votre code est"),
            Some("es") => ("Su código de acceso", "Su código es"),
            _ => ("Your sign-in code", "Your code is"),
        };
        Self {
            to: to.into(),
            subject: subject.into(),
            text: format!("{lead} {code}."),
            code,
            at,
        }
    }
}

/// The mails sent so far.
pub(crate) struct Mailbox {
    mails: Mutex<VecDeque<Mail>>,
    console: bool,
}

impl Mailbox {
    pub fn new(console: bool) -> Self {
        Self {
            mails: Mutex::default(),
            console,
        }
    }

    pub fn send(&self, mail: Mail) {
        if self.console {
            // Standard output is how this backend delivers mail; nothing else is printed to it.
            println!("code for {}: {}", mail.to, mail.code);
        }
        let mut mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
        mails.push_front(mail);
        mails.truncate(MAX_MAILS);
    }

    /// The newest code mailed to this address.
    pub fn last_code(&self, to: &str) -> Option<String> {
        self.all()
            .into_iter()
            .find(|mail| mail.to == to)
            .map(|mail| mail.code)
    }

    /// All mails, newest first.
    pub fn all(&self) -> Vec<Mail> {
        let mails = self.mails.lock().unwrap_or_else(PoisonError::into_inner);
        mails.iter().cloned().collect()
    }
}

/// An account with an authenticator app, as the page shows it: its secret, its current code and a
/// recovery code.
pub(crate) struct Authenticator {
    pub email: String,
    pub secret: String,
    pub code: Option<String>,
    /// One that was not used yet.
    pub recovery: Option<String>,
}

/// The mailbox as JSON.
pub(crate) fn json(mails: &[Mail], apps: &[Authenticator]) -> Value {
    let mails: Vec<Value> = mails
        .iter()
        .map(|mail| {
            json!({
                "to": mail.to,
                "subject": mail.subject,
                "text": mail.text,
                "code": mail.code,
                "at": iso8601(mail.at),
            })
        })
        .collect();
    let apps: Vec<Value> = apps
        .iter()
        .map(|app| {
            json!({
                "email": app.email,
                "secret": app.secret,
                "code": app.code,
                "recovery": app.recovery,
            })
        })
        .collect();
    json!({ "mails": mails, "authenticators": apps })
}

/// The mailbox as a page: plain HTML without scripts, reloaded every five seconds.
pub(crate) fn page(mails: &[Mail], apps: &[Authenticator]) -> String {
    let mut rows = String::new();
    for app in apps {
        let code = app.code.as_deref().unwrap_or("wait for the next one");
        rows += &format!(
            "<article><h2>{code}</h2><p>Authenticator code of <b>{}</b></p>\
             <p>Secret for an app: <code>{}</code></p><p>A recovery code: <code>{}</code></p></article>",
            escape(&app.email),
            escape(&app.secret),
            app.recovery.as_deref().unwrap_or("none is left"),
        );
    }
    for mail in mails {
        rows += &format!(
            "<article><h2>{}</h2><p>To <b>{}</b> at {}</p><p>{}: {}</p></article>",
            escape(&mail.code),
            escape(&mail.to),
            iso8601(mail.at),
            escape(&mail.subject),
            escape(&mail.text),
        );
    }
    if mails.is_empty() {
        rows += "<p>No mail yet. Sign in with an account that wants a code.</p>";
    }
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\">\
         <meta http-equiv=\"refresh\" content=\"5\"><title>Mailbox</title>\
         <style>:root{{color-scheme:light dark}}body{{font:1rem/1.5 system-ui,sans-serif;\
         max-width:40rem;margin:2rem auto;padding:0 1rem}}article{{border:1px solid #8886;\
         border-radius:.5rem;padding:.5rem 1rem;margin:1rem 0}}h2{{font-size:1.75rem;\
         letter-spacing:.1em;margin:0}}p{{margin:.25rem 0}}</style>\
         <h1>Mailbox</h1><p>Every code this backend has sent, newest first. \
         Development only.</p>{rows}</html>"
    )
}

fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut safe, c| {
        match c {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            c => safe.push(c),
        }
        safe
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_escapes_what_strangers_chose() {
        let mail = Mail::with_code("<script>@x.test", "de-AT", "123456".into(), 0);
        assert_eq!(mail.subject, "Ihr Anmeldecode");
        let page = page(&[mail], &[]);
        assert!(!page.contains("<script>"), "{page}");
        assert!(page.contains("&lt;script&gt;@x.test"));
    }
}
