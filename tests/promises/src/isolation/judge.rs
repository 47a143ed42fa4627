//! Judges what the backends have received.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use vestibule_backend::{Backend, RecordedRequest};
use vestibule_harness::{COOKIE, TOKEN};

use super::Person;
use super::keyring::NotingKeyring;

/// The header in which a window says who has asked. The backend does not read it.
pub const ASKED: &str = "x-asked";
/// The cookie with the device's fingerprint.
const DEVICE: &str = "device_fingerprint";
/// How many requests may be on their way at a look.
const LATE: usize = 8;
const ENDPOINTS: [(&str, &str); 7] = [
    ("GET", "/me"),
    ("POST", "/transfer"),
    ("POST", "/refresh-token"),
    ("POST", "/logout"),
    ("POST", "/login"),
    ("POST", TOKEN),
    ("POST", "/oidc/revoke"),
];

/// What has happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub calls: u64,
    pub uploads: u64,
    pub refreshes: u64,
    pub sign_outs: u64,
    pub switches: u64,
    /// Requests that were judged at the backends.
    pub requests: u64,
    /// How many of them carried a refresh token whose owner is known: a cookie, and one of a provider.
    pub tokens: u64,
    pub of_provider: u64,
}

impl Counts {
    /// Whether all of it has happened.
    pub fn are_all(&self) -> bool {
        let all = [
            self.calls,
            self.uploads,
            self.refreshes,
            self.sign_outs,
            self.switches,
            self.requests,
            self.tokens,
            self.of_provider,
        ];
        all.iter().all(|count| *count > 0)
    }
}

/// Looks for what belongs to another account than the one that asked.
#[derive(Clone)]
pub struct Judge(Arc<Inner>);

struct Inner {
    people: [Person; 3],
    /// The backend's identifier of each person.
    users: Mutex<BTreeMap<String, String>>,
    keyring: Arc<NotingKeyring>,
    found: Mutex<BTreeSet<String>>,
    counts: Mutex<Counts>,
    /// How many requests of each endpoint were judged.
    judged: Mutex<BTreeMap<(usize, &'static str), usize>>,
    /// The device that each backend knows: the first that it was told.
    devices: Mutex<BTreeMap<usize, String>>,
}

impl Judge {
    pub fn new(people: [Person; 3], keyring: Arc<NotingKeyring>) -> Self {
        Self(Arc::new(Inner {
            people,
            users: Mutex::default(),
            keyring,
            found: Mutex::default(),
            counts: Mutex::default(),
            judged: Mutex::default(),
            devices: Mutex::default(),
        }))
    }

    /// Notes a mix-up.
    pub fn mixed_up(&self, what: String) {
        lock(&self.0.found).insert(what);
    }

    /// The mix-ups so far.
    pub fn mix_ups(&self) -> Vec<String> {
        lock(&self.0.found).iter().cloned().collect()
    }

    /// Counts something.
    pub fn count(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut lock(&self.0.counts));
    }

    pub fn counts(&self) -> Counts {
        *lock(&self.0.counts)
    }

    /// Judges the answer to a question of this person who they are.
    pub fn answered(&self, person: &Person, body: &str) {
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        let user = &body["user"];
        if user["email"] != person.email.as_str() {
            self.mixed_up(format!("{} is answered as {}", person.email, user["email"]));
        } else if let Some(id) = user["id"].as_str() {
            lock(&self.0.users).insert(person.email.clone(), id.to_owned());
        }
    }

    /// Judges what a backend has received since the last look.
    pub fn look(&self, workspace: usize, backend: &Backend) {
        for (method, path) in ENDPOINTS {
            let requests = backend.recent_requests(method, path);
            let total = backend.requests(method, path);
            let mut judged = lock(&self.0.judged);
            let before = judged.insert((workspace, path), total).unwrap_or(0);
            drop(judged);
            let new = total.saturating_sub(before);
            self.count(|counts| counts.requests += new as u64);
            // Some that were counted before had not arrived as a whole.
            let (look_at, of) = (new + LATE, requests.len());
            for request in &requests[of - look_at.min(of)..] {
                if let Err(what) = self.judge(workspace, request) {
                    self.mixed_up(format!("{method} {path}: {what}"));
                }
            }
        }
    }

    fn judge(&self, workspace: usize, request: &RecordedRequest) -> Result<(), String> {
        let of_workspace: Vec<_> = {
            let people = self.0.people.iter();
            people.filter(|it| it.workspace == workspace).collect()
        };
        let asked = match request.header(ASKED) {
            None => None,
            Some(asked) => {
                let mut of = of_workspace.iter().filter(|it| it.email == asked);
                Some(of.next().ok_or(format!("{asked} asked another backend"))?)
            }
        };
        if let (Some(asked), Some(bearer)) = (asked, request.header("authorization")) {
            let known = lock(&self.0.users).get(&asked.email).cloned();
            let subject = subject(bearer);
            if known.is_some() && subject != known {
                return Err(format!("{} asked with another's token", asked.email));
            }
        }
        // One that was not offered to the keyring, which was locked, is nobody's as far as is known.
        let cookie = request.cookie(COOKIE).map(str::to_owned);
        let of_provider = of_form(request);
        let is_of_provider = of_provider.is_some();
        let token = cookie.or(of_provider);
        if let Some(owner) = token.and_then(|token| self.0.keyring.owner(&token)) {
            let is_of = |person: &Person| person.id.to_string() == owner;
            if !of_workspace.iter().any(|person| is_of(person)) {
                return Err("a refresh token of another workspace".into());
            }
            if asked.is_some_and(|asked| !is_of(asked)) {
                return Err("a refresh token of another account".into());
            }
            let mut counts = lock(&self.0.counts);
            match is_of_provider {
                true => counts.of_provider += 1,
                false => counts.tokens += 1,
            }
        }
        let in_body = request.json().and_then(|body| {
            let device = &body["fingerprint"]["fingerprint"];
            device.as_str().map(str::to_owned)
        });
        let in_cookie = request.cookie(DEVICE).map(str::to_owned);
        let mut devices = lock(&self.0.devices);
        for device in [in_body, in_cookie].into_iter().flatten() {
            let is_own = *devices.entry(workspace).or_insert_with(|| device.clone()) == device;
            let is_anothers = devices
                .iter()
                .any(|(of, it)| *of != workspace && *it == device);
            if !is_own || is_anothers {
                return Err("another workspace's device".into());
            }
        }
        Ok(())
    }
}

/// The refresh token in a form to the provider, which renews or revokes it.
fn of_form(request: &RecordedRequest) -> Option<String> {
    if !request.path.starts_with("/oidc/") {
        return None;
    }
    let mut fields = url::form_urlencoded::parse(&request.body);
    let (_, token) = fields.find(|(name, _)| name == "refresh_token" || name == "token")?;
    Some(token.into_owned())
}

/// Whose an access token of the bundled backend is.
fn subject(bearer: &str) -> Option<String> {
    let payload = bearer.split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(payload).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    Some(claims["sub"].as_str()?.to_owned())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
