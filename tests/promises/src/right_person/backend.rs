//! The backend of the model, which is a provider too: two people, rotation with reuse detection, and a
//! grace window if it has one. It knows to whom each token belongs and to which account it was given.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::plan::{Carrier, EndpointKind};

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

    /// The code that the browser brings back once this person has signed in there.
    pub fn code(self) -> String {
        format!("code-of-{}", self.email())
    }

    fn of_code(code: &str) -> Option<Self> {
        code.strip_prefix("code-of-").and_then(Self::of)
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

impl Arrived {
    /// The token in a form to a provider: a refresh token, or one of either kind that is revoked.
    fn of_provider(&self) -> Option<Token> {
        let field = match EndpointKind::of(self) {
            EndpointKind::Refresh => "refresh_token",
            _ => "token",
        };
        let text = self.body[field].as_str()?;
        Token::read("refresh", text).or_else(|| Token::read("access", text))
    }

    /// The refresh token that it carries, wherever it is.
    pub fn token(&self) -> Option<Token> {
        let text = match self.cookies.first() {
            Some(text) => text.as_str(),
            None => match self.body["refreshToken"].as_str() {
                Some(text) => text,
                None => return self.of_provider(),
            },
        };
        Token::read("refresh", text)
    }
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
            Carrier::Provider => request.of_provider(),
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
            "/login" => {
                let person = request.body["email"].as_str().and_then(Person::of);
                self.login(person, request, asked)
            }
            "/token" if EndpointKind::of(request) == EndpointKind::Login => {
                let person = request.body["code"].as_str().and_then(Person::of_code);
                self.login(person, request, asked)
            }
            "/refresh-token" | "/token" => self.refresh(request, now),
            "/logout" | "/revoke" => self.logout(request),
            "/userinfo" => match self.caller(request) {
                Some(token) => Answered::plain(200, self.sessions[token.session].person.user()),
                None => refused("ACCESS_EXPIRED"),
            },
            _ => match self.caller(request) {
                Some(token) => {
                    let person = self.sessions[token.session].person;
                    Answered::plain(200, json!({"user": person.user()}))
                }
                None => refused("ACCESS_EXPIRED"),
            },
        }
    }

    fn login(&mut self, person: Option<Person>, request: &Arrived, asked: u64) -> Answered {
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
            Carrier::Provider => {}
        }
        let body = match self.carrier {
            Carrier::Cookie | Carrier::Body => json!({"user": person.user(), "tokens": tokens}),
            Carrier::Provider => json!({
                "token_type": "Bearer",
                "access_token": token.access(),
                "expires_in": ACCESS_LIFE,
                "refresh_token": token.refresh(),
            }),
        };
        Answered {
            status: 200,
            set_cookie,
            body,
            gives: Some(token),
            spends: None,
        }
    }

    fn refresh(&mut self, request: &Arrived, now: Duration) -> Answered {
        let refused = self.refusal();
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
        match self.carrier {
            Carrier::Cookie | Carrier::Body => Answered::plain(204, Value::Null),
            Carrier::Provider => Answered::plain(200, json!({})),
        }
    }

    /// How a refresh is refused.
    fn refusal(&self) -> fn(&str) -> Answered {
        match self.carrier {
            Carrier::Cookie | Carrier::Body => refused,
            Carrier::Provider => |_| Answered::plain(400, json!({"error": "invalid_grant"})),
        }
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
