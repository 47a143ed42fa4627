//! What was there when the app was last closed.

use std::time::Duration;

use tokio::sync::OwnedMutexGuard;

use super::item::Item;
use super::rotate::Asked;
use super::{Session, storage_of};
use crate::journal::{Journal, LastUser, SignedOut};
use crate::secrets::StoreError;
use crate::state::Event;
use crate::vault::Stamp;
use crate::wire::{Cause, SignedOutReason, StorageStatus};

/// How long a start waits for the keyring and the first refresh before it shows the last
/// known user.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long after an unreadable keyring it is read again.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

impl Session {
    /// Reads what is held and renews it. Returns once the state is known, or once a token
    /// is held and the schedule takes over.
    pub(super) async fn restore(&self, settled: Option<OwnedMutexGuard<()>>) {
        let origin = self.origin();
        let stamp = self.held().stamp;
        let read = self
            .on_disk(stamp, move |records| {
                let marker = SignedOut::read(records)?;
                if marker.is_none() {
                    SignedOut::lay_aside(records);
                }
                Ok((
                    marker,
                    Journal::read(records),
                    LastUser::read(records, &origin),
                ))
            })
            .await;
        let (marker, journal, last_user) = match read {
            Ok(Some(read)) => read,
            // Someone has signed in or out already.
            Ok(None) => return,
            Err(_) => {
                // Whether a session is over cannot be told yet; the schedule looks again.
                let mut held = self.held();
                if held.stamp != stamp {
                    return;
                }
                held.unread = true;
                held.plan.look_again(self.now(), LOOK_AGAIN);
                let outage = held.outage(self.0.clock.wall_ms(), Some(LOOK_AGAIN));
                self.publish(&mut held, Cause::Start, Event::Unreached(outage));
                return;
            }
        };
        {
            let mut held = self.held();
            if held.stamp != stamp {
                return;
            }
            held.generation = journal.generation;
            match marker {
                Some(SignedOut { why }) => {
                    self.publish(&mut held, Cause::Start, Event::NothingHeld(why));
                }
                None => {
                    held.unread = journal.token_hash.is_some() || last_user.is_some();
                    held.lasts = held.unread;
                    held.last_user = last_user;
                }
            }
        }
        if marker.is_some() {
            self.finish_sign_out(stamp).await;
            return;
        }
        drop(settled);
        let shown_by = tokio::time::Instant::now() + PATIENCE;
        let mut reading = std::pin::pin!(self.read_keyring(stamp));
        let read = tokio::time::timeout_at(shown_by, &mut reading).await;
        let is_left_over = match read {
            Ok(is_left_over) => is_left_over,
            Err(_) => {
                self.show_last_known();
                reading.await
            }
        };
        if is_left_over {
            let _settled = self.0.taking_over.lock().await;
            self.finish_sign_out(stamp).await;
            return;
        }
        let (holds_token, unread) = {
            let held = self.held();
            if held.stamp != stamp {
                // Someone signed in while the keyring was read: there is nothing to renew.
                return;
            }
            (held.token.is_some(), held.unread)
        };
        if holds_token {
            let session = self.clone();
            let first = tokio::spawn(async move { session.fly(Asked::Timer).await });
            if tokio::time::timeout_at(shown_by, first).await.is_err() {
                self.show_last_known();
            }
        } else if unread {
            self.show_last_known();
        }
    }

    /// A crash may have come between the end of a session and the rest. To be called with
    /// `taking_over` held.
    async fn finish_sign_out(&self, stamp: Stamp) {
        let safe = self.revoke_stored(stamp).await;
        self.empty_keyring(stamp, safe).await;
        let _ = self.on_disk(stamp, LastUser::clear).await;
    }

    /// Reads the keyring and files what it says. While it cannot be read nothing is
    /// concluded: "cannot tell" is not "absent". Nor is anything once a sign-in or sign-out
    /// newer than `stamp` has been. True if it holds what is left of a session that another
    /// has replaced, in memory only.
    pub(super) async fn read_keyring(&self, stamp: Stamp) -> bool {
        let read = self.0.vault.read().await;
        let read = read.map(|bytes| bytes.and_then(|bytes| Item::from_bytes(&bytes)));
        let mut held = self.held();
        // Whoever has no session misses none; a sign-in finds out how well it is kept.
        let read = match read {
            Err(StoreError::Locked | StoreError::NoCollection) if !held.unread => Ok(None),
            read => read,
        };
        if held.stamp != stamp || held.token.is_some() {
            return false;
        }
        let origin = self.origin();
        match read {
            Ok(item) => {
                let is_replaced = |item: &Item| !held.lasts && item.generation < held.generation;
                let is_left_over = item.as_ref().is_some_and(is_replaced);
                // The app speaks to another backend than before. That session has not ended.
                let is_anothers = item.as_ref().is_some_and(|item| item.origin != origin);
                let item = item.filter(|item| {
                    !is_replaced(item) && item.origin == origin && !item.token.is_empty()
                });
                let had_session = std::mem::take(&mut held.unread);
                held.state.apply(Event::Storage(StorageStatus::Ok));
                if let Some(item) = item {
                    held.generation = held.generation.max(item.generation);
                    held.token = Some(item.token);
                    held.lasts = true;
                    return false;
                }
                held.last_user = None;
                let why = if had_session && !is_anothers {
                    tracing::warn!("the keyring answers that it holds no token any more");
                    SignedOutReason::Missing
                } else {
                    SignedOutReason::Never
                };
                self.publish(&mut held, Cause::Start, Event::NothingHeld(why));
                // Where the last user was already shown, it takes more than silence.
                self.publish(&mut held, Cause::Start, Event::Ended(why));
                is_left_over
            }
            Err(error) => {
                tracing::warn!(%error, "the keyring cannot be read");
                let had_session = held.unread;
                held.state.apply(Event::Storage(storage_of(error)));
                let event = if had_session {
                    held.plan.look_again(self.now(), LOOK_AGAIN);
                    Event::Unreached(held.outage(self.0.clock.wall_ms(), Some(LOOK_AGAIN)))
                } else {
                    Event::NothingHeld(SignedOutReason::Never)
                };
                self.publish(&mut held, Cause::Storage, event);
                false
            }
        }
    }

    fn show_last_known(&self) {
        let mut held = self.held();
        if let Some(last) = held.last_user.clone()
            && held.state.is_restoring()
        {
            let retry_in = held.plan.due_in(self.now());
            let event = Event::LastKnown {
                user: last.user,
                session: last.session,
                outage: held.outage(self.0.clock.wall_ms(), retry_in),
            };
            self.publish(&mut held, Cause::Start, event);
        }
    }
}
