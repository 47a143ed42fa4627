//! The state machine: states, legal transitions, and the view that crosses to the window.
//!
//! [`State::apply`] is pure and total: an event that makes no sense in a state leaves it as
//! it is. Only [`Event::Ended`] and [`Event::SignedOut`] lead from a session to none.
//! There is no token here: the secrets live beside the state, in [`crate::session`].

use crate::wire::{
    Challenge, Freshness, Outage, Phase, SessionInfo, SessionState, SignedOutReason, StorageStatus,
    User,
};

/// The state of one workspace's session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    phase: Inner,
    storage: StorageStatus,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Inner {
    Restoring {
        outage: Option<Outage>,
    },
    SignedOut {
        why: SignedOutReason,
    },
    OtpPending {
        challenge: Challenge,
        /// What to return to when the challenge is given up: signing in again while a
        /// session is stale must not cost that session.
        behind: Behind,
    },
    SignedIn(Live),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Behind {
    Restoring(Option<Outage>),
    SignedOut(SignedOutReason),
    SignedIn(Box<Live>),
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
        /// Who, if the answer said so.
        user: Option<User>,
        /// The session to show.
        session: SessionInfo,
        /// Whether the keyring holds the token.
        remembered: bool,
    },
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
    pub fn new() -> Self {
        Self {
            phase: Inner::Restoring { outage: None },
            storage: StorageStatus::Ok,
        }
    }

    /// Applies `event`; true if anything changed.
    pub fn apply(&mut self, event: Event) -> bool {
        let before = self.clone();
        match event {
            Event::NothingHeld(why) => match &mut self.phase {
                Inner::Restoring { .. } => self.phase = Inner::SignedOut { why },
                Inner::OtpPending { behind, .. } if matches!(behind, Behind::Restoring(_)) => {
                    *behind = Behind::SignedOut(why);
                }
                Inner::OtpPending { .. } | Inner::SignedOut { .. } | Inner::SignedIn(_) => {}
            },
            Event::LastKnown {
                user,
                session,
                outage,
            } => {
                if matches!(self.phase, Inner::Restoring { .. }) {
                    self.phase = Inner::SignedIn(Live {
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
                self.phase = Inner::SignedIn(Live {
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
            Event::Unreached(outage) => self.lose_touch(outage),
            Event::Ended(why) => self.end(why),
            Event::SignedOut => {
                self.phase = Inner::SignedOut {
                    why: SignedOutReason::ByUser,
                };
            }
            Event::Challenged(challenge) => self.challenge(challenge),
            Event::ChallengeOver => self.challenge_over(),
            Event::Remembered(remembered) => {
                if let Some(live) = self.live_mut() {
                    live.remembered = remembered;
                }
            }
            Event::Storage(storage) => self.storage = storage,
        }
        *self != before
    }

    fn renew(&mut self, user: Option<User>, session: SessionInfo, remembered: bool) {
        if let Some(live) = self.live_mut() {
            if let Some(user) = user {
                live.user = user;
            }
            live.session = session;
            live.freshness = Freshness::Fresh;
            live.remembered = remembered;
        } else if let Some(user) = user {
            let live = Live {
                user,
                session,
                freshness: Freshness::Fresh,
                remembered,
            };
            match &mut self.phase {
                Inner::Restoring { .. } => self.phase = Inner::SignedIn(live),
                Inner::OtpPending { behind, .. } if matches!(behind, Behind::Restoring(_)) => {
                    *behind = Behind::SignedIn(Box::new(live));
                }
                Inner::OtpPending { .. } | Inner::SignedOut { .. } | Inner::SignedIn(_) => {}
            }
        }
    }

    fn lose_touch(&mut self, outage: Outage) {
        match &mut self.phase {
            Inner::Restoring { outage: slot } => *slot = Some(outage),
            Inner::SignedIn(live) => live.freshness = Freshness::Stale(outage),
            Inner::OtpPending { behind, .. } => match behind {
                Behind::Restoring(slot) => *slot = Some(outage),
                Behind::SignedIn(live) => live.freshness = Freshness::Stale(outage),
                Behind::SignedOut(_) => {}
            },
            Inner::SignedOut { .. } => {}
        }
    }

    fn end(&mut self, why: SignedOutReason) {
        match &mut self.phase {
            // A challenge belongs to a new sign-in and outlives the old session's end.
            Inner::OtpPending { behind, .. } => {
                if !matches!(behind, Behind::SignedOut(_)) {
                    *behind = Behind::SignedOut(why);
                }
            }
            Inner::Restoring { .. } | Inner::SignedIn(_) => self.phase = Inner::SignedOut { why },
            Inner::SignedOut { .. } => {}
        }
    }

    fn challenge(&mut self, challenge: Challenge) {
        let behind = match std::mem::replace(&mut self.phase, Inner::Restoring { outage: None }) {
            Inner::OtpPending { behind, .. } => behind,
            Inner::Restoring { outage } => Behind::Restoring(outage),
            Inner::SignedOut { why } => Behind::SignedOut(why),
            Inner::SignedIn(live) => Behind::SignedIn(Box::new(live)),
        };
        self.phase = Inner::OtpPending { challenge, behind };
    }

    fn challenge_over(&mut self) {
        if let Inner::OtpPending { behind, .. } = &self.phase {
            self.phase = match behind.clone() {
                Behind::Restoring(outage) => Inner::Restoring { outage },
                Behind::SignedOut(why) => Inner::SignedOut { why },
                Behind::SignedIn(live) => Inner::SignedIn(*live),
            };
        }
    }

    fn live_mut(&mut self) -> Option<&mut Live> {
        match &mut self.phase {
            Inner::SignedIn(live) => Some(live),
            Inner::OtpPending {
                behind: Behind::SignedIn(live),
                ..
            } => Some(live),
            _ => None,
        }
    }

    fn live(&self) -> Option<&Live> {
        match &self.phase {
            Inner::SignedIn(live) => Some(live),
            Inner::OtpPending {
                behind: Behind::SignedIn(live),
                ..
            } => Some(live),
            _ => None,
        }
    }

    /// The user and session that are held, shown or behind a challenge.
    pub fn held(&self) -> Option<(&User, &SessionInfo)> {
        self.live().map(|live| (&live.user, &live.session))
    }

    /// The challenge that is open.
    pub fn open_challenge(&self) -> Option<&Challenge> {
        match &self.phase {
            Inner::OtpPending { challenge, .. } => Some(challenge),
            _ => None,
        }
    }

    /// Since when the backend has not been heard; `None` while all is well.
    pub fn outage(&self) -> Option<Outage> {
        match (&self.phase, self.live()) {
            (Inner::Restoring { outage }, _)
            | (
                Inner::OtpPending {
                    behind: Behind::Restoring(outage),
                    ..
                },
                _,
            ) => *outage,
            (_, Some(live)) => match live.freshness {
                Freshness::Fresh => None,
                Freshness::Stale(outage) => Some(outage),
            },
            _ => None,
        }
    }

    /// Whether it is not yet known if someone is signed in.
    pub fn is_restoring(&self) -> bool {
        matches!(self.phase, Inner::Restoring { .. })
    }

    /// What the window may see.
    pub fn view(&self) -> SessionState {
        let phase = match &self.phase {
            Inner::Restoring { outage } => Phase::Restoring { outage: *outage },
            Inner::SignedOut { why } => Phase::SignedOut { why: *why },
            Inner::OtpPending { challenge, .. } => Phase::OtpPending {
                challenge: challenge.clone(),
            },
            Inner::SignedIn(live) => Phase::SignedIn {
                user: live.user.clone(),
                session: live.session.clone(),
                freshness: live.freshness,
                remembered: live.remembered,
            },
        };
        SessionState {
            phase,
            storage: self.storage,
        }
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}
