//! The state machine: states, legal transitions, and the view that crosses to the window.
//!
//! [`State::apply`] is pure and total: an event that makes no sense in a state leaves it as
//! it is. Only [`Event::Ended`] and [`Event::SignedOut`] lead from a session to none.
//! There is no token here: the secrets live beside the state, in [`crate::session`].

use std::time::Duration;

use crate::clock::SinceBoot;
use crate::identity::ChallengeId;
use crate::obstacle::Obstacle;
use crate::roles::Roles;
use crate::wire::{self, Phase, SessionInfo, SessionState, SignedOutReason, StorageStatus, User};

/// The backend cannot be reached, and when it will be tried again. Countdowns are kept in the
/// time since boot and told as durations: the wall clock may be set to anything meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When the first failed attempt began, in milliseconds since the epoch, for people to read.
    pub since: u64,
    /// When the next attempt starts; `None` while one is under way.
    pub retry_at: Option<SinceBoot>,
    /// What stood in the way the last time, if that is known.
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

/// A one-time code is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// New for each challenge.
    pub id: ChallengeId,
    /// Where the code went, as the backend says or else as the user typed it.
    pub email: String,
    /// When another code may be asked for.
    pub resend_at: SinceBoot,
}

impl Challenge {
    /// As a window is told.
    pub fn view(&self, now: SinceBoot) -> wire::Challenge {
        wire::Challenge {
            id: self.id,
            email: self.email.clone(),
            resend_in_ms: ms(self.resend_at.saturating_sub(now)),
        }
    }
}

/// Whether what is known of a session was confirmed by the backend.
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

/// Rounded up: what is told to be over is over.
fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
}

/// The state of one workspace's session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    ground: Ground,
    /// Lies over the ground and hides it, but takes no part in what happens to it: signing in
    /// again while a session is stale must not cost that session.
    challenge: Option<Challenge>,
    storage: StorageStatus,
    /// What each role may do: never changes.
    roles: Roles,
}

/// What is true of the session itself.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Ground {
    Restoring {
        outage: Option<Outage>,
        /// A session is held and nobody but the backend knows whose it is.
        is_owner_unknown: bool,
    },
    SignedOut {
        why: SignedOutReason,
    },
    SignedIn(Live),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Live {
    user: User,
    session: SessionInfo,
    freshness: Freshness,
    remembered: bool,
}

/// What can happen to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// At start: nothing is held.
    NothingHeld(SignedOutReason),
    /// At start: a token is held and this is who it belonged to; the backend was not heard.
    LastKnown {
        /// Who.
        user: User,
        /// Their session.
        session: SessionInfo,
        /// Since when it is not heard.
        outage: Outage,
    },
    /// Someone signed in.
    SignedIn {
        /// Who.
        user: User,
        /// Their new session.
        session: SessionInfo,
        /// Whether the keyring holds the token.
        remembered: bool,
    },
    /// The backend renewed the session.
    Renewed {
        /// Who, if the answer said so; if not, it is about the user that is held.
        user: Option<User>,
        /// The session to show.
        session: SessionInfo,
        /// Whether the keyring holds the token.
        remembered: bool,
    },
    /// A session is held, and it is not known whose it is: nobody is shown until the backend
    /// has said it.
    OwnerUnknown,
    /// A refresh failed for a reason that passes, or is under way again.
    Unreached(Outage),
    /// The backend ended the session, for certain.
    Ended(SignedOutReason),
    /// The user signed out.
    SignedOut,
    /// A code is wanted.
    Challenged(Challenge),
    /// The challenge was given up or is void.
    ChallengeOver,
    /// The keyring took the token after all, or lost it.
    Remembered(bool),
    /// The keyring's state.
    Storage(StorageStatus),
}

impl State {
    /// Before anything is known.
    pub fn new(roles: Roles) -> Self {
        Self {
            ground: Ground::Restoring {
                outage: None,
                is_owner_unknown: false,
            },
            challenge: None,
            storage: StorageStatus::Ok,
            roles,
        }
    }

    /// Applies `event`; true if anything changed.
    pub fn apply(&mut self, event: Event) -> bool {
        let before = self.clone();
        match event {
            Event::NothingHeld(why) => {
                if self.is_restoring() {
                    self.ground = Ground::SignedOut { why };
                }
            }
            Event::OwnerUnknown => {
                let outage = self.outage();
                self.ground = Ground::Restoring {
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
                    self.ground = Ground::SignedIn(Live {
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
                self.challenge = None;
                self.ground = Ground::SignedIn(Live {
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
            Event::Unreached(outage) => match &mut self.ground {
                Ground::Restoring { outage: slot, .. } => *slot = Some(outage),
                Ground::SignedIn(live) => live.freshness = Freshness::Stale(outage),
                Ground::SignedOut { .. } => {}
            },
            // A challenge belongs to a new sign-in and outlives the old session's end.
            Event::Ended(why) => match self.ground {
                Ground::Restoring { .. } | Ground::SignedIn(_) => {
                    self.ground = Ground::SignedOut { why };
                }
                Ground::SignedOut { .. } => {}
            },
            Event::SignedOut => {
                self.challenge = None;
                self.ground = Ground::SignedOut {
                    why: SignedOutReason::ByUser,
                };
            }
            Event::Challenged(challenge) => self.challenge = Some(challenge),
            Event::ChallengeOver => self.challenge = None,
            Event::Remembered(remembered) => {
                if let Ground::SignedIn(live) = &mut self.ground {
                    live.remembered = remembered;
                }
            }
            Event::Storage(storage) => self.storage = storage,
        }
        *self != before
    }

    fn renew(&mut self, user: Option<User>, session: SessionInfo, remembered: bool) {
        let user = match (&self.ground, user) {
            // Whoever was signed out stays so: the answer came too late.
            (Ground::SignedOut { .. }, _) | (Ground::Restoring { .. }, None) => return,
            (Ground::SignedIn(live), None) if live.user.id != session.user_id => return,
            (Ground::SignedIn(live), None) => live.user.clone(),
            (Ground::Restoring { .. } | Ground::SignedIn(_), Some(user)) => user,
        };
        self.ground = Ground::SignedIn(Live {
            user,
            session,
            freshness: Freshness::Fresh,
            remembered,
        });
    }

    /// The user and session that are held, shown or behind a challenge.
    pub fn held(&self) -> Option<(&User, &SessionInfo)> {
        match &self.ground {
            Ground::SignedIn(live) => Some((&live.user, &live.session)),
            Ground::Restoring { .. } | Ground::SignedOut { .. } => None,
        }
    }

    /// The challenge that is open.
    pub fn open_challenge(&self) -> Option<&Challenge> {
        self.challenge.as_ref()
    }

    /// Since when the backend has not been heard; `None` while all is well.
    pub fn outage(&self) -> Option<Outage> {
        match &self.ground {
            Ground::Restoring { outage, .. } => *outage,
            Ground::SignedIn(live) => match live.freshness {
                Freshness::Fresh => None,
                Freshness::Stale(outage) => Some(outage),
            },
            Ground::SignedOut { .. } => None,
        }
    }

    /// Whether it is not yet known if someone is signed in, shown or behind a challenge.
    pub fn is_restoring(&self) -> bool {
        matches!(self.ground, Ground::Restoring { .. })
    }

    /// Whether there is a session, or it is not known yet.
    pub fn is_unsettled(&self) -> bool {
        !self.is_signed_out()
    }

    /// Whether nobody is signed in, shown or behind a challenge.
    pub fn is_signed_out(&self) -> bool {
        matches!(self.ground, Ground::SignedOut { .. })
    }

    /// What the roles of whoever is held let them do, shown or behind a challenge.
    pub fn may(&self) -> Vec<String> {
        let held = self.held().map(|(user, _)| self.roles.grant(&user.roles));
        held.unwrap_or_default()
    }

    /// What the window may see at `now`.
    pub fn view(&self, now: SinceBoot) -> SessionState {
        let phase = match (&self.challenge, &self.ground) {
            (Some(challenge), _) => Phase::OtpPending {
                challenge: challenge.view(now),
            },
            (
                None,
                Ground::Restoring {
                    outage,
                    is_owner_unknown,
                },
            ) => Phase::Restoring {
                outage: outage.map(|outage| outage.view(now)),
                owner_unknown: *is_owner_unknown,
            },
            (None, Ground::SignedOut { why }) => Phase::SignedOut { why: *why },
            (None, Ground::SignedIn(live)) => Phase::SignedIn {
                user: live.user.clone(),
                session: live.session.clone(),
                freshness: live.freshness.view(now),
                remembered: live.remembered,
            },
        };
        let may = match phase {
            Phase::SignedIn { .. } => self.may(),
            Phase::Restoring { .. } | Phase::SignedOut { .. } | Phase::OtpPending { .. } => vec![],
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
