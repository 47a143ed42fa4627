//! Checks the section `browser`: what is there must be enough to sign in, and nothing in it may take
//! away what makes the flow safe.

use std::collections::BTreeMap;

use super::{Checked, mistake};
use crate::profile::browser::{Browser, BrowserKind, Button, RedirectBy};
use crate::profile::{Profile, paths};

/// Parameters of the address that the flow itself sets.
const OUR_PARAMETERS: [&str; 10] = [
    "client_id",
    "client_secret",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "redirect_uri",
    "response_mode",
    "response_type",
    "scope",
    "state",
];
/// The longest picture of a button, as a `data:` address.
const LONGEST_ICON: usize = 16 * 1024;
/// The longest label of a button, in characters.
const LONGEST_LABEL: usize = 60;
const MOST_BUTTONS: usize = 12;
const MOST_PORTS: usize = 16;

impl Profile {
    pub(super) fn check_browser(&self) -> Checked {
        let Some(browser) = self.browser.get() else {
            return Ok(());
        };
        browser.check_endpoints(self)?;
        browser.check_client()?;
        check_parameters("browser.parameters", &browser.parameters)?;
        browser.check_buttons()?;
        browser.check_redirect()?;
        browser.check_page()
    }

    /// Whether some sign-in goes through an endpoint of the profile, so that the session is carried as
    /// `cookies` and `answer` say.
    pub(super) fn signs_in_by_endpoint(&self) -> bool {
        let by_browser = self.browser.get().map(|browser| browser.kind);
        self.endpoints.login.get().is_some() || by_browser == Some(BrowserKind::BetterAuth)
    }
}

impl Browser {
    fn check_endpoints(&self, profile: &Profile) -> Checked {
        let allowed: &[&str] = match self.kind {
            BrowserKind::Oidc => &["issuer", "revoke", "userinfo", "device_authorization"],
            BrowserKind::Oauth2 => &[
                "authorize",
                "token",
                "revoke",
                "userinfo",
                "device_authorization",
            ],
            BrowserKind::BetterAuth => &["page"],
        };
        if let Some((key, _)) = self.addresses().find(|(key, _)| !allowed.contains(key)) {
            let reason = match self.kind {
                BrowserKind::Oidc => {
                    "is not for `oidc`: the issuer's discovery names the endpoints"
                }
                BrowserKind::Oauth2 => "is not for `oauth2`",
                BrowserKind::BetterAuth => "is not for `better-auth`: the backend is the provider",
            };
            return mistake(format!("browser.{key}"), reason);
        }
        if let Some(base) = &self.base {
            if self.kind != BrowserKind::BetterAuth {
                return mistake("browser.base", "is for `better-auth` alone");
            }
            if let Err(reason) = paths::check(base) {
                return mistake("browser.base", reason);
            }
        }
        match self.kind {
            BrowserKind::Oidc if self.issuer.is_none() => {
                mistake("browser.issuer", "is missing: give the provider's issuer")
            }
            BrowserKind::Oidc if !self.scopes().contains(&"openid") => {
                let reason = "has no `openid`, without which no provider says who signs in";
                mistake("browser.scopes", reason)
            }
            BrowserKind::Oauth2 if self.authorize.is_none() => mistake(
                "browser.authorize",
                "is missing: give the page at which a person signs in",
            ),
            BrowserKind::Oauth2 if self.token.is_none() => mistake(
                "browser.token",
                "is missing: give the address at which a code is exchanged",
            ),
            BrowserKind::Oauth2
                if self.userinfo.is_none() && profile.endpoints.me.get().is_none() =>
            {
                let reason = "is missing, and so is `endpoints.me`: nothing says who signs in";
                mistake("browser.userinfo", reason)
            }
            BrowserKind::Oauth2 if self.device && self.device_authorization.is_none() => {
                let reason = "is missing, but `browser.device` offers a code for another device";
                mistake("browser.device_authorization", reason)
            }
            BrowserKind::BetterAuth if self.device => mistake(
                "browser.device",
                "is not for `better-auth`, whose exchange has no codes for other devices",
            ),
            _ if self.end_session && self.kind != BrowserKind::Oidc => mistake(
                "browser.end_session",
                "is for `oidc` alone, whose discovery names that page",
            ),
            _ => Ok(()),
        }
    }

    fn check_page(&self) -> Checked {
        if self.kind != BrowserKind::BetterAuth || self.page.is_some() || self.names_providers() {
            return Ok(());
        }
        let reason = "is missing, and not every button has the parameter `provider`: there is nothing to \
                      open";
        mistake("browser.page", reason)
    }

    /// Whether each button says at which provider Better Auth signs people in.
    fn names_providers(&self) -> bool {
        let names = |parameters: &BTreeMap<String, String>| parameters.contains_key("provider");
        let mut buttons = self.buttons.iter();
        names(&self.parameters)
            || (!self.buttons.is_empty() && buttons.all(|button| names(&button.parameters)))
    }

    fn check_client(&self) -> Checked {
        let is_text = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
        if !is_text(self.client()) {
            let reason = match self.client_id.is_empty() {
                true => "is missing: give the name under which this app is registered there",
                false => "holds a space or a character that is not ASCII",
            };
            return mistake("browser.client_id", reason);
        }
        if let Some(scope) = self.scopes().into_iter().find(|scope| !is_text(scope)) {
            let reason = match scope.is_empty() {
                true => "holds an empty scope",
                false => "holds a scope with a space: write each scope by itself",
            };
            return mistake("browser.scopes", reason);
        }
        match (&self.client_secret, self.client_secret_is_public) {
            (Some(_), false) => mistake(
                "browser.client_secret",
                "would be in every copy of the app, so it is no secret: register the app as a public \
                 (native) client, which has none; if the provider demands one all the same, say \
                 `client_secret_is_public = true`",
            ),
            (None, true) => mistake(
                "browser.client_secret_is_public",
                "is true, but there is no `client_secret`",
            ),
            (Some(_), true) | (None, false) => Ok(()),
        }
    }

    fn check_buttons(&self) -> Checked {
        if self.buttons.len() > MOST_BUTTONS {
            let reason = format!("has more than {MOST_BUTTONS} buttons");
            return mistake("browser.buttons", reason);
        }
        for (index, button) in self.buttons.iter().enumerate() {
            let key = format!("browser.buttons[{index}]");
            let mut before = self.buttons.iter().take(index);
            if before.any(|other| other.name == button.name) {
                return mistake(format!("{key}.name"), "is the name of another button too");
            }
            check_button(&key, button)?;
        }
        Ok(())
    }

    fn check_redirect(&self) -> Checked {
        if self.kind == BrowserKind::BetterAuth && self.redirect() == RedirectBy::Loopback {
            let reason = "must be `scheme`: Better Auth's desktop plugin returns by nothing else";
            return mistake("browser.redirect", reason);
        }
        if self.ports.is_empty() {
            return Ok(());
        }
        if self.redirect() == RedirectBy::Scheme {
            return mistake("browser.ports", "are given, but the redirect is by scheme");
        }
        if self.ports.len() > MOST_PORTS {
            return mistake("browser.ports", format!("has more than {MOST_PORTS} ports"));
        }
        match self.ports.iter().position(|port| *port < 1024) {
            Some(index) => mistake(
                format!("browser.ports[{index}]"),
                "must be from 1024 to 65535: the ones below are the system's",
            ),
            None => Ok(()),
        }
    }
}

fn check_button(key: &str, button: &Button) -> Checked {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if button.name.is_empty() || button.name.len() > 40 || !button.name.chars().all(is_name) {
        let reason = "must be 1 to 40 ASCII letters, digits, `-`, `_` or `.`";
        return mistake(format!("{key}.name"), reason);
    }
    let label = button.label.as_deref().unwrap_or("x");
    if label.trim().is_empty() || label.chars().count() > LONGEST_LABEL {
        let reason = format!("must have 1 to {LONGEST_LABEL} characters");
        return mistake(format!("{key}.label"), reason);
    }
    if let Some(icon) = &button.icon {
        let kinds = ["data:image/png;base64,", "data:image/svg+xml"];
        if !kinds.iter().any(|kind| icon.starts_with(kind)) {
            let reason =
                "must be a `data:` address of a PNG or an SVG: the window loads nothing else";
            return mistake(format!("{key}.icon"), reason);
        }
        if icon.len() > LONGEST_ICON {
            let reason = format!("is larger than {} KiB", LONGEST_ICON / 1024);
            return mistake(format!("{key}.icon"), reason);
        }
    }
    check_parameters(&format!("{key}.parameters"), &button.parameters)
}

fn check_parameters(key: &str, parameters: &BTreeMap<String, String>) -> Checked {
    let ours = |name: &&String| OUR_PARAMETERS.contains(&name.as_str());
    match parameters.keys().find(ours) {
        Some(name) => mistake(
            format!("{key}.{name}"),
            "is set by the app itself: it is a part of what makes the sign-in safe",
        ),
        None => Ok(()),
    }
}
