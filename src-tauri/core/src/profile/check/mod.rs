//! Checks a whole profile. Each member was checked when it was read; here members are checked
//! against each other. The error names the first mistake.

mod browser;
mod calls;
mod places;
mod published;
mod roles;
mod rules;
mod second_factors;
mod sessions;

use url::{Host, Url};

use super::mistake::Mistake;
use super::model::{Document, Expiry, ExpiryForm, Fields, UserFrom};
use super::placeholder::Placeholder as P;
use super::{AllowedCall, Profile, paths, place};

type Checked = Result<(), Mistake>;

fn mistake(key: impl Into<String>, reason: impl Into<String>) -> Checked {
    Err(Mistake::new(key, reason))
}

/// Turns a document into a profile, if nothing in it is wrong.
pub(super) fn check(document: Document) -> Result<Profile, Mistake> {
    let backend = match &document.backend {
        Some(address) => backend(address)?,
        None => {
            return Err(Mistake::new(
                "backend",
                "is missing: give the backend's address",
            ));
        }
    };
    let profile = Profile {
        name: document.name.unwrap_or_default(),
        backend,
        identifier: document.identifier.unwrap_or_default(),
        headers: document.headers,
        cookies: document.cookies,
        session: document.session,
        endpoints: document.endpoints,
        browser: document.browser,
        answer: document.answer,
        user: document.user,
        otp: document.otp,
        ends: document.ends,
        errors: document.errors,
        signed_out: document.signed_out,
        api: document.api,
        roles: document.roles,
    };
    profile.check()?;
    Ok(profile)
}

/// Reads a base address. The error does not repeat the address, because it may hold a password.
pub(super) fn backend(address: &str) -> Result<Url, Mistake> {
    let refused = |reason: String| Err(Mistake::new("backend", reason));
    let url = match Url::parse(address) {
        Ok(url) => url,
        Err(error) => return refused(format!("is not an address: {error}")),
    };
    let Some(host) = url.host() else {
        return refused("is not an address with a host".into());
    };
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&host) => {}
        "http" => {
            return refused(format!(
                "is plain http to {host}: use https (plain http is for loopback only)"
            ));
        }
        _ => return refused("must begin with https:// (or http:// on loopback)".into()),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return refused("holds a user name or a password".into());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return refused("has a query or a fragment".into());
    }
    Ok(url)
}

/// Whether the host is this machine, so that plain http to it leaves no trace in a network.
pub(crate) fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

impl Profile {
    fn check(&self) -> Checked {
        self.check_endpoints()?;
        self.check_browser()?;
        self.check_places()?;
        self.check_cookies()?;
        if self.signs_in_by_endpoint() {
            self.check_tokens()?;
            self.check_user()?;
        }
        self.check_published()?;
        self.check_otp()?;
        self.check_sessions()?;
        self.check_rules()?;
        self.check_api()?;
        self.check_roles()
    }

    fn check_cookies(&self) -> Checked {
        let cookies = &self.cookies;
        for (index, name) in cookies.refresh.iter().enumerate() {
            check_cookie_name(&format!("cookies.refresh[{index}]"), name)?;
        }
        if let Some(name) = cookies.device.get() {
            check_cookie_name("cookies.device", name)?;
            if cookies.refresh.contains(name) {
                return mistake("cookies.device", "is also the name of a refresh cookie");
            }
        }
        for (index, name) in cookies.trust.iter().enumerate() {
            let key = format!("cookies.trust[{index}]");
            check_cookie_name(&key, name)?;
            if cookies.refresh.contains(name) || cookies.device.get() == Some(name) {
                return mistake(key, "is also the name of another cookie of the profile");
            }
        }
        let any = !cookies.refresh.is_empty() || cookies.device.get().is_some();
        if (any || !cookies.trust.is_empty()) && !cookies.enabled {
            let reason = "is false, but there are cookies in `cookies.refresh`, `cookies.device` or \
                          `cookies.trust`";
            return mistake("cookies.enabled", reason);
        }
        Ok(())
    }

    /// Something must carry the session, and a token that is read must also be sent.
    fn check_tokens(&self) -> Checked {
        for (key, fields) in [
            ("answer.login", &self.answer.login),
            ("answer.refresh", &self.answer.refresh),
            ("answer.me", &self.answer.me),
        ] {
            check_fields(key, fields)?;
        }
        if self.session.grace_s > 3600 {
            return mistake("session.grace_s", "must be from 0 to 3600 seconds");
        }
        let login = &self.answer.login;
        let by_cookie = !self.cookies.refresh.is_empty();
        let single = self.session.single_token;
        if single && login.access_token.is_empty() && login.refresh_token.is_empty() {
            return mistake(
                "session.single_token",
                "is true, but `answer.login` finds no token",
            );
        }
        let by_body = single || !login.refresh_token.is_empty();
        if !by_cookie && !by_body {
            return mistake(
                "answer.login.refresh_token",
                "is empty, and so is `cookies.refresh`: nothing carries the session",
            );
        }
        let Some((verb, renewal)) = self.renewal() else {
            return mistake(
                "endpoints.me",
                "is missing, and so is `endpoints.refresh`: nothing tells whether a session is alive",
            );
        };
        let sent = renewal.asked_for();
        let carries = |p: P| p == P::RefreshToken || (single && p == P::AccessToken);
        let sends = sent.iter().copied().any(carries);
        if !by_cookie && !sends {
            let reason = "does not send `$refresh_token`, and no cookie carries the session";
            return mistake(format!("endpoints.{}", verb.name()), reason);
        }
        if !by_body && sends {
            let reason = "is empty, but `$refresh_token` is sent: nothing would ever fill it";
            return mistake("answer.login.refresh_token", reason);
        }
        Ok(())
    }

    fn check_user(&self) -> Checked {
        if self.user.id.is_empty() {
            return mistake("user.id", "is empty: without it there is no user");
        }
        if self.user.roles_separator.as_deref() == Some("") {
            return mistake(
                "user.roles_separator",
                "is empty: nothing stands between names",
            );
        }
        let answer = &self.answer;
        let missing = |key: &str| {
            let reason = "is empty: nothing would ever say who is signed in";
            mistake(format!("answer.{key}.user"), reason)
        };
        let has_me = self.endpoints.me.get().is_some();
        if has_me && answer.me.user.is_empty() {
            return missing("me");
        }
        match self.session.user_from {
            UserFrom::Me if !has_me => {
                let reason = "is missing, but `session.user_from` is `me`";
                mistake("endpoints.me", reason)
            }
            UserFrom::Me => Ok(()),
            UserFrom::Login if answer.login.user.is_empty() => missing("login"),
            UserFrom::Refresh if answer.login.user.is_empty() && !has_me => missing("login"),
            UserFrom::Refresh if self.refreshes_by_me() => Ok(()),
            UserFrom::Refresh if answer.refresh.user.is_empty() => missing("refresh"),
            UserFrom::Login | UserFrom::Refresh => Ok(()),
        }
    }

    /// The page must not get a token, nor end a session behind the core's back.
    fn check_api(&self) -> Checked {
        for (key, seconds) in [
            ("api.answer_within_s", self.api.answer_within_s),
            ("api.idle_within_s", self.api.idle_within_s),
            ("api.events_within_s", self.api.events_within_s),
        ] {
            if !(1..=3600).contains(&seconds) {
                return mistake(key, "must be from 1 to 3600 seconds");
            }
        }
        for (index, allowed) in self.api.allow.iter().enumerate() {
            let key = format!("api.allow[{index}]");
            let allowed = AllowedCall::of(allowed);
            if let Err(reason) = allowed.check() {
                return mistake(key, reason);
            }
            let allowed = allowed.path();
            let mut ours = self.auth_paths();
            let taken = ours.find(|(_, path)| paths::overlap(allowed, path));
            if let Some((endpoint, _)) = taken {
                let reason = format!(
                    "lets the window call `{endpoint}`, an endpoint of the session, which is not for it"
                );
                return mistake(key, reason);
            }
        }
        Ok(())
    }
}

fn check_cookie_name(key: &str, name: &str) -> Checked {
    place::check_cookie_name(name).or_else(|reason| mistake(key, reason))
}

fn check_fields(key: &str, fields: &Fields) -> Checked {
    let check_all = |name: &str, expiries: &[Expiry]| {
        let lost = |e: &Expiry| e.at.is_none() && e.form != ExpiryForm::JwtExp;
        match expiries.iter().position(lost) {
            Some(index) => mistake(format!("{key}.{name}[{index}].at"), "is missing"),
            None => Ok(()),
        }
    };
    check_all("expires", &fields.expires)?;
    check_all("refresh_expires", &fields.refresh_expires)
}
