//! The state machine: states, legal transitions, and the view that crosses to the window.
//!
//! [`State::apply`] is pure and total: an event that makes no sense in a state leaves it as
//! it is. Only [`Event::Ended`] and [`Event::SignedOut`] lead from a session to none.
//! There is no token here: the secrets live beside the state, in [`crate::session`].

use std::time::Duration;

use crate::clock::SinceBoot;
use crate::identity::{BrowserSignInId, ChallengeId};
use crate::obstacle::Obstacle;
use crate::roles::Roles;
use crate::wire::{
    self, BrowserRedirect, CodeMethod, OfferedMethod, Phase, SessionInfo, SessionState,
    SignedOutReason, StorageStatus, User,
};

/// The backend cannot be reached, and when it will be tried again. Countdowns are kept in the time
/// since boot and published as durations, because the wall clock may be set to anything meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When the first failed attempt began, in milliseconds since the epoch, for people to read.
    pub since: u64,
    /// When the next attempt starts; `None` while one is under way.
    pub retry_at: Option<SinceBoot>,
    /// Why the last try failed, if that is known.
    pub why: Option<Obstacle>,
}

impl Outage {
    fn view(self, now: SinceBoot) -> wire::Outage {
        wire::Outage {
            since: self.since,
            retry_in_ms: self.retry_at.map(|at| ms(at.saturating_sub(now))),
            why: self.why,
        }
    }
}

/// A second factor is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// New for each challenge.
    pub id: ChallengeId,
    /// Where codes are sent, as the backend says or else as the user typed it.
    pub email: String,
    /// The methods by which it can be answered.
    pub methods: Vec<OfferedMethod>,
    /// For how many days a device may be trusted.
    pub trust_days: Option<u16>,
    /// When another code may be requested.
    pub resend_at: SinceBoot,
}

impl Challenge {
    /// Notes that a code was sent, and when the next may be requested.
    #[must_use]
    pub fn sent(mut self, next: SinceBoot) -> Self {
        let by_code = self.methods.iter_mut();
        for offered in by_code.filter(|offered| offered.method == CodeMethod::Otp) {
            offered.sent_to = Some(self.email.clone());
        }
        self.resend_at = self.resend_at.max(next);
        self
    }

    /// Whether no code was sent yet.
    pub fn is_unsent(&self) -> bool {
        self.methods.iter().all(|offered| offered.sent_to.is_none())
    }

    /// The challenge as windows see it.
    pub fn view(&self, now: SinceBoot) -> wire::Challenge {
        wire::Challenge {
            id: self.id,
            email: self.email.clone(),
            resend_in_ms: ms(self.resend_at.saturating_sub(now)),
            methods: self.methods.clone(),
            trust_days: self.trust_days,
        }
    }
}

/// A sign-in that goes on in the system's browser, or on another device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrowserSignIn {
    /// New for each.
    pub id: BrowserSignInId,
    /// The name of the button that has begun it.
    pub button: String,
    /// That button's label.
    pub label: Option<String>,
    /// How the browser comes back; `None` where the sign-in goes on on another device.
    pub redirect: Option<BrowserRedirect>,
    /// Whether the browser was opened.
    pub opened: bool,
    /// Whether it is back.
    pub returned: bool,
    /// What to type on another device, once the provider has given a code.
    pub device: Option<wire::DeviceCode>,
    /// When it is given up.
    pub expires_at: SinceBoot,
}

impl Pending {
    fn is_challenge(&self) -> bool {
        matches!(self, Self::Challenge(_))
    }
}

impl BrowserSignIn {
    /// The sign-in as windows see it.
    pub fn view(&self, now: SinceBoot) -> wire::BrowserSignIn {
        wire::BrowserSignIn {
            id: self.id,
            button: self.button.clone(),
            label: self.label.clone(),
            redirect: self.redirect,
            opened: self.opened,
            returned: self.returned,
            device: self.device.clone(),
            expires_in_ms: ms(self.expires_at.saturating_sub(now)),
        }
    }
}

/// A sign-in that waits for its person. It hides the session and does not affect it: signing in again
/// while a session is stale must not cost that session.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Pending {
    Challenge(Challenge),
    Browser(BrowserSignIn),
}

/// Whether the backend has confirmed what is known of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Freshness {
    Fresh,
    Stale(Outage),
}

impl Freshness {
    fn view(self, now: SinceBoot) -> wire::Freshness {
        match self {
            Self::Fresh => wire::Freshness::Fresh,
            Self::Stale(outage) => wire::Freshness::Stale(outage.view(now)),
        }
    }
}

/// Rounded up, so that a countdown which has ended is really over.
fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// The state of one workspace's session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    status: SessionStatus,
    pending: Option<Pending>,
    storage: StorageStatus,
    /// What each role may do. It never changes.
    roles: Roles,
}

/// The state of the session itself.
#[derive(Clone, Debug, PartialEq, Eq)]
enum SessionStatus {
    Restoring {
        outage: Option<Outage>,
        /// There is a session, and only the backend knows whose it is.
        is_owner_unknown: bool,
    },
    SignedOut {
        why: SignedOutReason,
    },
    SignedIn(SignedInSession),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct SignedInSession {
    user: User,
    session: SessionInfo,
    freshness: Freshness,
    remembered: bool,
}

/// What can happen to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// At start: there is no session.
    NothingFound(SignedOutReason),
    /// At start: there is a token, this was its user, and the backend has not answered yet.
    LastKnown {
        /// The user.
        user: User,
        /// The user's session.
        session: SessionInfo,
        /// Since when the backend has not answered.
        outage: Outage,
    },
    /// A user signed in.
    SignedIn {
        /// The user.
        user: User,
        /// The user's new session.
        session: SessionInfo,
        /// Whether the keyring holds the token.
        remembered: bool,
    },
    /// The backend renewed the session.
    Renewed {
        /// The user, if the answer names one; otherwise the user stays.
        user: Option<User>,
        /// The session to show.
        session: SessionInfo,
        /// Whether the keyring holds the token.
        remembered: bool,
    },
    /// There is a session, and it is not known whose it is: no user is shown until the backend has
    /// named one.
    OwnerUnknown,
    /// A refresh failed for a temporary reason, or is under way again.
    Unreached(Outage),
    /// The backend has definitely ended the session.
    Ended(SignedOutReason),
    /// The user signed out here, which gives up a sign-in that was under way.
    SignedOut,
    /// The backend asks for a code.
    Challenged(Challenge),
    /// The challenge was given up or is void.
    ChallengeOver,
    /// A sign-in goes on in the system's browser, or on another device.
    BrowserSignIn(BrowserSignIn),
    /// That sign-in was given up, has failed or is void.
    BrowserSignInOver,
    /// Whether the keyring holds the token, which has changed.
    Remembered(bool),
    /// The keyring's state.
    Storage(StorageStatus),
}

impl State {
    /// Before anything is known.
    pub fn new(roles: Roles) -> Self {
        Self {
            status: SessionStatus::Restoring {
                outage: None,
                is_owner_unknown: false,
            },
            pending: None,
            storage: StorageStatus::Ok,
            roles,
        }
    }

    /// Applies `event`; true if anything changed.
    pub fn apply(&mut self, event: Event) -> bool {
        let before = self.clone();
        match event {
            Event::NothingFound(why) => {
                if self.is_restoring() {
                    self.status = SessionStatus::SignedOut { why };
                }
            }
            Event::OwnerUnknown => {
                let outage = self.outage();
                self.status = SessionStatus::Restoring {
                    outage,
                    is_owner_unknown: true,
                };
            }
            Event::LastKnown {
                user,
                session,
                outage,
            } => {
                if self.is_restoring() {
                    self.status = SessionStatus::SignedIn(SignedInSession {
                        user,
                        session,
                        freshness: Freshness::Stale(outage),
                        remembered: true,
                    });
                }
            }
            Event::SignedIn {
                user,
                session,
                remembered,
            } => {
                self.pending = None;
                self.status = SessionStatus::SignedIn(SignedInSession {
                    user,
                    session,
                    freshness: Freshness::Fresh,
                    remembered,
                });
            }
            Event::Renewed {
                user,
                session,
                remembered,
            } => self.renew(user, session, remembered),
            Event::Unreached(outage) => match &mut self.status {
                SessionStatus::Restoring { outage: slot, .. } => *slot = Some(outage),
                SessionStatus::SignedIn(signed_in) => {
                    signed_in.freshness = Freshness::Stale(outage)
                }
                SessionStatus::SignedOut { .. } => {}
            },
            // A challenge belongs to a new sign-in and outlives the old session's end.
            Event::Ended(why) => match self.status {
                SessionStatus::Restoring { .. } | SessionStatus::SignedIn(_) => {
                    self.status = SessionStatus::SignedOut { why };
                }
                SessionStatus::SignedOut { .. } => {}
            },
            Event::SignedOut => {
                self.pending = None;
                self.status = SessionStatus::SignedOut {
                    why: SignedOutReason::ByUser,
                };
            }
            Event::Challenged(challenge) => self.pending = Some(Pending::Challenge(challenge)),
            Event::BrowserSignIn(sign_in) => self.pending = Some(Pending::Browser(sign_in)),
            Event::ChallengeOver => {
                self.pending = self.pending.take().filter(|it| !it.is_challenge());
            }
            Event::BrowserSignInOver => {
                self.pending = self.pending.take().filter(Pending::is_challenge)
            }
            Event::Remembered(remembered) => {
                if let SessionStatus::SignedIn(signed_in) = &mut self.status {
                    signed_in.remembered = remembered;
                }
            }
            Event::Storage(storage) => self.storage = storage,
        }
        *self != before
    }

    fn renew(&mut self, user: Option<User>, session: SessionInfo, remembered: bool) {
        let user = match (&self.status, user) {
            // A user who has signed out stays signed out: the answer came too late.
            (SessionStatus::SignedOut { .. }, _) | (SessionStatus::Restoring { .. }, None) => {
                return;
            }
            (SessionStatus::SignedIn(signed_in), None) if signed_in.user.id != session.user_id => {
                return;
            }
            (SessionStatus::SignedIn(signed_in), None) => signed_in.user.clone(),
            (SessionStatus::Restoring { .. } | SessionStatus::SignedIn(_), Some(user)) => user,
        };
        self.status = SessionStatus::SignedIn(SignedInSession {
            user,
            session,
            freshness: Freshness::Fresh,
            remembered,
        });
    }

    /// The user and the session, whether shown or hidden by a challenge.
    pub fn signed_in(&self) -> Option<(&User, &SessionInfo)> {
        match &self.status {
            SessionStatus::SignedIn(signed_in) => Some((&signed_in.user, &signed_in.session)),
            SessionStatus::Restoring { .. } | SessionStatus::SignedOut { .. } => None,
        }
    }

    /// The challenge that is open.
    pub fn open_challenge(&self) -> Option<&Challenge> {
        match &self.pending {
            Some(Pending::Challenge(challenge)) => Some(challenge),
            Some(Pending::Browser(_)) | None => None,
        }
    }

    /// The sign-in that goes on outside of the app.
    pub fn browser_sign_in(&self) -> Option<&BrowserSignIn> {
        match &self.pending {
            Some(Pending::Browser(sign_in)) => Some(sign_in),
            Some(Pending::Challenge(_)) | None => None,
        }
    }

    /// Since when the backend has not answered; `None` if it has.
    pub fn outage(&self) -> Option<Outage> {
        match &self.status {
            SessionStatus::Restoring { outage, .. } => *outage,
            SessionStatus::SignedIn(signed_in) => match signed_in.freshness {
                Freshness::Fresh => None,
                Freshness::Stale(outage) => Some(outage),
            },
            SessionStatus::SignedOut { .. } => None,
        }
    }

    /// Whether it is not known yet if a user is signed in, whether shown or hidden by a challenge.
    pub fn is_restoring(&self) -> bool {
        matches!(self.status, SessionStatus::Restoring { .. })
    }

    /// Whether there is a session, or that is not known yet.
    pub fn may_have_session(&self) -> bool {
        !self.is_signed_out()
    }

    /// Whether no user is signed in, whether shown or hidden by a challenge.
    pub fn is_signed_out(&self) -> bool {
        matches!(self.status, SessionStatus::SignedOut { .. })
    }

    /// What the user's roles let them do, whether the user is shown or hidden by a challenge.
    pub fn may(&self) -> Vec<String> {
        let held = self
            .signed_in()
            .map(|(user, _)| self.roles.grant(&user.roles));
        held.unwrap_or_default()
    }

    /// What the window may see at `now`.
    pub fn view(&self, now: SinceBoot) -> SessionState {
        let phase = match (&self.pending, &self.status) {
            (Some(Pending::Challenge(challenge)), _) => Phase::OtpPending {
                challenge: challenge.view(now),
            },
            (Some(Pending::Browser(sign_in)), _) => Phase::BrowserPending {
                sign_in: sign_in.view(now),
            },
            (
                None,
                SessionStatus::Restoring {
                    outage,
                    is_owner_unknown,
                },
            ) => Phase::Restoring {
                outage: outage.map(|outage| outage.view(now)),
                owner_unknown: *is_owner_unknown,
            },
            (None, SessionStatus::SignedOut { why }) => Phase::SignedOut { why: *why },
            (None, SessionStatus::SignedIn(signed_in)) => Phase::SignedIn {
                user: signed_in.user.clone(),
                session: signed_in.session.clone(),
                freshness: signed_in.freshness.view(now),
                remembered: signed_in.remembered,
            },
        };
        let may = match phase {
            Phase::SignedIn { .. } => self.may(),
            Phase::Restoring { .. }
            | Phase::SignedOut { .. }
            | Phase::OtpPending { .. }
            | Phase::BrowserPending { .. } => vec![],
        };
        SessionState {
            phase,
            storage: self.storage,
            may,
        }
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new(Roles::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::SessionId;

    #[test]
    fn a_late_last_known_user_shows_behind_a_challenge_too() {
        let outage = Outage {
            since: 1,
            retry_at: None,
            why: None,
        };
        let challenge = Challenge {
            id: ChallengeId::new(),
            email: "ann@vestibule.test".into(),
            methods: Vec::new(),
            trust_days: None,
            resend_at: Duration::ZERO,
        };
        let user = User {
            id: "1".into(),
            name: "Ann".into(),
            email: "ann@vestibule.test".into(),
            email_verified: true,
            image: None,
            roles: Vec::new(),
        };
        let session = SessionInfo {
            id: SessionId::new(),
            user_id: "1".into(),
            expires_at: None,
        };
        let mut state = State::default();
        state.apply(Event::Challenged(challenge));
        assert!(state.is_restoring(), "the keyring may still hold a token");
        state.apply(Event::LastKnown {
            user: user.clone(),
            session: session.clone(),
            outage,
        });
        state.apply(Event::ChallengeOver);
        assert_eq!(state.signed_in(), Some((&user, &session)));
    }
}
