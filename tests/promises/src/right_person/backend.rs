//! The backend of the model: two people, rotation with reuse detection, and a grace window if it
//! has one. It knows to whom each token belongs and to which account it was given.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::plan::Carrier;

/// The lifetime of an access token, in seconds.
pub const ACCESS_LIFE: u64 = 900;
pub const COOKIE: &str = "__refresh_token";

/// One of the two people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Person {
    Ann,
    Bob,
}

impl Person {
    pub fn email(self) -> &'static str {
        match self {
            Self::Ann => "ann@example.com",
            Self::Bob => "bob@example.com",
        }
    }

    pub fn of(email: &str) -> Option<Self> {
        [Self::Ann, Self::Bob]
            .into_iter()
            .find(|person| person.email() == email)
    }

    fn user(self) -> Value {
        let name = self.email().split('@').next().unwrap_or_default();
        json!({"id": format!("id-of-{name}"), "name": name, "email": self.email()})
    }
}

/// A session at the backend.
#[derive(Clone, Debug)]
pub struct Backed {
    pub person: Person,
    /// The account that signed in.
    pub account: usize,
    /// When it began, as the number of the request.
    pub begun: u64,
    /// Why it ended, if it did.
    pub ended: Option<&'static str>,
    /// How many refresh tokens it was given; only the last is valid.
    pub given: u32,
    /// When the token before it was replaced.
    pub replaced_at: Duration,
}

/// A request that has arrived.
pub struct Arrived {
    /// When it was sent.
    pub sent: Duration,
    pub account: usize,
    pub path: String,
    pub bearer: Option<String>,
    /// Every refresh cookie in the request.
    pub cookies: Vec<String>,
    pub body: Value,
}

#[derive(Clone, Debug)]
pub struct Answered {
    pub status: u16,
    pub set_cookie: Option<String>,
    pub body: Value,
    /// The token that it gives out: a session and a number.
    pub gives: Option<Token>,
    /// The token that this one replaces.
    pub spends: Option<Token>,
}

impl Answered {
    pub fn plain(status: u16, body: Value) -> Self {
        Self {
            status,
            set_cookie: None,
            body,
            gives: None,
            spends: None,
        }
    }
}

/// A refresh or access token: its session, and its number in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token {
    pub session: usize,
    pub number: u32,
}

impl Token {
    fn refresh(self) -> String {
        format!("refresh.{}.{}", self.session, self.number)
    }

    fn access(self) -> String {
        format!("access.{}.{}", self.session, self.number)
    }

    /// The token that this text names, if it is one of that kind.
    pub fn read(kind: &str, text: &str) -> Option<Self> {
        let mut parts = text.split('.');
        if parts.next() != Some(kind) {
            return None;
        }
        let session = parts.next()?.parse().ok()?;
        let number = parts.next()?.parse().ok()?;
        parts.next().is_none().then_some(Self { session, number })
    }
}

pub struct Backend {
    carrier: Carrier,
    grace: Duration,
    pub sessions: Vec<Backed>,
    /// For each session, the number below which access tokens have expired.
    expired: BTreeMap<usize, u32>,
}

impl Backend {
    pub fn new(carrier: Carrier, grace: Duration) -> Self {
        Self {
            carrier,
            grace,
            sessions: Vec::new(),
            expired: BTreeMap::new(),
        }
    }

    /// The refresh token that a request carries.
    pub fn presented(&self, request: &Arrived) -> Option<Token> {
        match self.carrier {
            Carrier::Cookie => {
                let text = request.cookies.first()?;
                Token::read("refresh", text)
            }
            Carrier::Body => Token::read("refresh", request.body["refreshToken"].as_str()?),
        }
    }

    /// The access token of a call, if it is valid.
    pub fn caller(&self, request: &Arrived) -> Option<Token> {
        let token = Token::read("access", request.bearer.as_deref()?)?;
        let session = self.sessions.get(token.session)?;
        let floor = self.expired.get(&token.session).copied().unwrap_or(0);
        (session.ended.is_none() && token.number > floor).then_some(token)
    }

    pub fn answer(&mut self, request: &Arrived, now: Duration, asked: u64) -> Answered {
        match request.path.as_str() {
            "/login" => self.login(request, asked),
            "/refresh-token" => self.refresh(request, now),
            "/logout" => self.logout(request),
            _ => match self.caller(request) {
                Some(token) => {
                    let person = self.sessions[token.session].person;
                    Answered::plain(200, json!({"user": person.user()}))
                }
                None => refused("ACCESS_EXPIRED"),
            },
        }
    }

    fn login(&mut self, request: &Arrived, asked: u64) -> Answered {
        let person = request.body["email"].as_str().and_then(Person::of);
        let Some(person) = person else {
            return Answered::plain(401, json!({"message": "no", "code": "INVALID_CREDENTIALS"}));
        };
        self.sessions.push(Backed {
            person,
            account: request.account,
            begun: asked,
            ended: None,
            given: 1,
            replaced_at: Duration::ZERO,
        });
        let session = self.sessions.len() - 1;
        self.give(Token { session, number: 1 })
    }

    fn give(&self, token: Token) -> Answered {
        let person = self.sessions[token.session].person;
        let mut tokens = json!({"token": token.access(), "expiresIn": ACCESS_LIFE});
        let mut set_cookie = None;
        match self.carrier {
            Carrier::Cookie => {
                let text = token.refresh();
                set_cookie = Some(format!("{COOKIE}={text}; Path=/; HttpOnly; Max-Age=864000"));
            }
            Carrier::Body => tokens["refreshToken"] = token.refresh().into(),
        }
        Answered {
            status: 200,
            set_cookie,
            body: json!({"user": person.user(), "tokens": tokens}),
            gives: Some(token),
            spends: None,
        }
    }

    fn refresh(&mut self, request: &Arrived, now: Duration) -> Answered {
        let Some(token) = self.presented(request) else {
            return refused("TOKEN_MISSING");
        };
        let grace = self.grace;
        let Some(session) = self.sessions.get_mut(token.session) else {
            return refused("TOKEN_INVALID");
        };
        if session.ended.is_some() {
            return refused("SESSION_REVOKED");
        }
        let session_id = token.session;
        if token.number == session.given {
            session.given += 1;
            session.replaced_at = now;
        } else if token.number + 1 != session.given || now - session.replaced_at >= grace {
            session.ended = Some("reuse");
            return refused("REFRESH_REUSED");
        }
        let number = session.given;
        let mut answer = self.give(Token {
            session: session_id,
            number,
        });
        answer.spends = Some(token);
        answer
    }

    fn logout(&mut self, request: &Arrived) -> Answered {
        let token = self.presented(request);
        let session = token.and_then(|token| self.sessions.get_mut(token.session));
        let Some(session) = session else {
            return refused("TOKEN_MISSING");
        };
        session.ended.get_or_insert("signed out");
        Answered::plain(204, Value::Null)
    }

    /// An administrator ends every session of this person.
    pub fn revoke(&mut self, person: Person) {
        for session in &mut self.sessions {
            if session.person == person {
                session.ended.get_or_insert("revoked");
            }
        }
    }

    /// Makes every access token given out so far expire.
    pub fn expire_access(&mut self) {
        for (at, session) in self.sessions.iter().enumerate() {
            self.expired.insert(at, session.given);
        }
    }
}

fn refused(code: &str) -> Answered {
    Answered::plain(401, json!({"message": "no", "code": code}))
}
