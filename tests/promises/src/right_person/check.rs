//! The invariants of the model, checked from outside the core, at each request that is sent and
//! each that arrives.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use vestibule_core::SessionId;
use vestibule_core::wire::Phase;

use super::backend::{Arrived, Backend, Person, Token};
use super::model_process::ModelProcess;
use super::plan::{ACCOUNTS, EndpointKind};

/// Who asked for a call, according to the window at that time.
#[derive(Clone, Debug)]
struct Ask {
    account: usize,
    /// When, as a number in the order of all calls and sign-ins.
    at: u64,
    by: Asker,
    /// The session, by the core's id.
    session: Option<SessionId>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Asker {
    /// The window did not know yet who is signed in.
    Unknown,
    Nobody,
    Person(Option<Person>),
}

impl Asker {
    fn of(phase: &Phase) -> Self {
        match phase {
            Phase::SignedIn { user, .. } => Self::Person(Person::of(&user.email)),
            Phase::SignedOut { .. } => Self::Nobody,
            _ => Self::Unknown,
        }
    }
}

#[derive(Default)]
struct State {
    losses: Vec<String>,
    asks: BTreeMap<u64, Ask>,
    /// Tokens that an account knows to be used: on disk, …
    known: [BTreeSet<Token>; ACCOUNTS],
    /// … or in the running process.
    known_here: BTreeSet<(u64, Token)>,
    /// Whether somebody has set a clock, after which the age of a token is not known.
    is_wall_off: bool,
    /// For each session of the backend, to whom it belongs and in which account it began.
    owners: BTreeMap<usize, (Person, usize)>,
    /// For each session of the core, the backend's session.
    meant: BTreeMap<SessionId, usize>,
    /// How many of an account's sessions have been matched in this way.
    matched: [usize; ACCOUNTS],
    /// Counts calls and sign-ins.
    count: u64,
    now: Duration,
    believed_grace: Duration,
    /// Calls that were answered for somebody; shown in the row.
    served: u64,
}

/// The checks and their results.
#[derive(Clone, Default)]
pub struct Checks(Arc<Mutex<State>>);

impl Checks {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn new(believed_grace: Duration) -> Self {
        let checks = Self::default();
        checks.state().believed_grace = believed_grace;
        checks
    }

    pub fn losses(&self) -> Vec<String> {
        self.state().losses.clone()
    }

    pub fn served(&self) -> u64 {
        self.state().served
    }

    pub fn lose(&self, loss: String) {
        let mut state = self.state();
        if !state.losses.contains(&loss) {
            state.losses.push(loss);
        }
    }

    pub fn passes(&self, now: Duration) {
        self.state().now = now;
    }

    pub fn now(&self) -> Duration {
        self.state().now
    }

    pub fn wall_is_set(&self) {
        self.state().is_wall_off = true;
    }

    /// The number of the next call or sign-in.
    pub fn next(&self) -> u64 {
        let mut state = self.state();
        state.count += 1;
        state.count
    }

    /// A call of the currently shown person begins. Returns its number.
    pub fn asked(&self, account: usize, phase: &Phase) -> u64 {
        let at = self.next();
        let ask = Ask {
            account,
            at,
            by: Asker::of(phase),
            session: session_of(phase),
        };
        self.state().asks.insert(at, ask);
        at
    }

    /// A sign-in succeeded and this is shown. If the account has begun one session since the
    /// last sign-in, this is that session.
    pub fn signed_in(&self, account: usize, phase: &Phase) {
        let mut state = self.state();
        let begun: Vec<_> = state
            .owners
            .iter()
            .filter(|(_, (_, at))| *at == account)
            .map(|(session, (person, _))| (*session, *person))
            .collect();
        let is_one = begun.len() == state.matched[account] + 1;
        state.matched[account] = begun.len();
        let Some((session, person)) = begun.last().copied().filter(|_| is_one) else {
            // There were several, and it is unknown which one this is and what its record knows.
            state.known[account].clear();
            return;
        };
        if let (Some(meant), true) = (
            session_of(phase),
            Asker::of(phase) == Asker::Person(Some(person)),
        ) {
            state.meant.entry(meant).or_insert(session);
            // What was known of earlier sessions was deleted with their record.
            state.known[account].retain(|token| token.session == session);
        }
    }

    /// The backend has begun a session.
    pub fn begun(&self, session: usize, person: Person, account: usize) {
        self.state().owners.insert(session, (person, account));
    }

    /// A rotation has ended and its process waits: the token that it replaced is known to be used.
    pub fn spent(&self, life: &ModelProcess, token: Token) {
        let mut state = self.state();
        state.known_here.insert((life.number, token));
        let known = &mut state.known[life.account];
        known.retain(|held| held.session == token.session);
        known.insert(token);
    }

    /// The records of an account were damaged: its disk knows nothing for certain any more.
    pub fn forget(&self, account: usize) {
        self.state().known[account].clear();
    }

    /// A request is sent.
    pub fn sent(&self, life: &ModelProcess, request: &Arrived) {
        if EndpointKind::of(request) != EndpointKind::Refresh {
            return;
        }
        let Some(Phase::SignedIn { user, .. }) = life.phase() else {
            return;
        };
        let token = request.token();
        let owner = token.and_then(|token| self.state().owners.get(&token.session).copied());
        if let (Some((person, _)), shown) = (owner, Person::of(&user.email))
            && shown.is_some()
            && shown != Some(person)
        {
            self.lose(format!(
                "{person:?}'s token is renewed while {shown:?} is shown at account {}",
                life.account
            ));
        }
    }

    /// A request arrives; called before the backend handles it.
    pub fn arrives(&self, life: &ModelProcess, request: &Arrived, backend: &Backend) {
        match EndpointKind::of(request) {
            EndpointKind::Refresh => self.refresh_arrives(life, request, backend),
            EndpointKind::Logout => self.logout_arrives(life, request, backend),
            EndpointKind::Api => self.call_arrives(life, request, backend),
            EndpointKind::Login | EndpointKind::WhoAmI => {}
        }
    }

    fn refresh_arrives(&self, life: &ModelProcess, request: &Arrived, backend: &Backend) {
        let Some(token) = backend.presented(request) else {
            return;
        };
        self.belongs(life, token, "a refresh", backend);
        let (is_known, is_here) = {
            let state = self.state();
            let is_here = state.known_here.contains(&(life.number, token));
            (
                is_here || state.known[life.account].contains(&token),
                is_here,
            )
        };
        if !is_known {
            return;
        }
        let grace = self.state().believed_grace;
        let session = &backend.sessions[token.session];
        let is_one_behind = token.number + 1 == session.given;
        // A request that is delayed on its way was still sent in time.
        let age = request.sent.saturating_sub(session.replaced_at);
        let is_wall_off = self.state().is_wall_off;
        // The profile allows sending such a token again, since the backend gives the same
        // successor.
        if !is_here && is_one_behind && (age < grace || is_wall_off && grace > Duration::ZERO) {
            return;
        }
        self.lose(format!(
            "token {} of session {} is sent to a refresh by account {}, which knows that it is \
             spent",
            token.number, token.session, life.account
        ));
    }

    fn logout_arrives(&self, life: &ModelProcess, request: &Arrived, backend: &Backend) {
        let Some(token) = backend.presented(request) else {
            return;
        };
        self.belongs(life, token, "a sign-out", backend);
        let shown = life.phase().as_ref().and_then(session_of);
        let shown = shown.and_then(|shown| self.state().meant.get(&shown).copied());
        // If somebody has signed in since, that session is about to be shown.
        let mut newest = backend.sessions.iter();
        let newest = newest.rposition(|session| session.account == life.account);
        if shown == Some(token.session) && newest == shown {
            self.lose(format!(
                "session {} was ended by account {}, which still shows it as signed in",
                token.session, life.account
            ));
        }
    }

    /// Checks that the token's session began in this account.
    fn belongs(&self, life: &ModelProcess, token: Token, what: &str, backend: &Backend) {
        let Some(session) = backend.sessions.get(token.session) else {
            return self.lose(format!("{what} with a token that the backend never issued"));
        };
        if session.account != life.account {
            self.lose(format!(
                "{what} of account {} carries a token of account {}",
                life.account, session.account
            ));
        }
    }

    fn call_arrives(&self, life: &ModelProcess, request: &Arrived, backend: &Backend) {
        let number = request.path.rsplit('/').next();
        let number = number.and_then(|number| number.parse().ok());
        let ask: Option<Ask> =
            number.and_then(|number: u64| self.state().asks.get(&number).cloned());
        let (Some(ask), Some(bearer)) = (ask, &request.bearer) else {
            return;
        };
        let Some(token) = Token::read("access", bearer) else {
            return self.lose(format!("a call carries {bearer}"));
        };
        let Some(session) = backend.sessions.get(token.session) else {
            return self.lose("a call carries a token that the backend never issued".into());
        };
        let what = format!("call {number:?} of account {}", life.account);
        if session.account != ask.account {
            self.lose(format!(
                "{what} carries a token of account {}",
                session.account
            ));
        }
        if session.begun > ask.at {
            self.lose(format!(
                "{what}, asked for by {:?}, with the token of a session that began after it",
                ask.by
            ));
        }
        match &ask.by {
            Asker::Nobody => self.lose(format!("{what}, asked for by nobody, has a token")),
            Asker::Person(Some(person)) if *person != session.person => {
                self.lose(format!(
                    "{what}, asked for by {person:?}, with {:?}'s token",
                    session.person
                ));
            }
            Asker::Person(_) | Asker::Unknown => {}
        }
        let meant = ask.session.as_ref();
        let meant = meant.and_then(|session| self.state().meant.get(session).copied());
        if meant.is_some_and(|meant| meant != token.session) {
            self.lose(format!(
                "{what}, asked for in session {meant:?}, with a token of session {}",
                token.session
            ));
        }
        if session.ended.is_none() {
            self.state().served += 1;
        }
    }
}

/// The session that is shown, by the core's id.
fn session_of(phase: &Phase) -> Option<SessionId> {
    match phase {
        Phase::SignedIn { session, .. } => Some(session.id),
        _ => None,
    }
}
