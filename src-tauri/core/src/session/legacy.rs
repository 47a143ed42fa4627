//! Takes over, at the first start, what commit ff703f2 and earlier ones left on disk: their journal
//! and last user become the session's record, their outbox the pending sign-outs.
//!
//! The old keyring item is read under its old name (the workspace's name alone) until a rotation
//! has written the new one; then it is deleted. The new record is on disk before an old one is
//! removed, so that a crash at any point leaves a folder that the next start understands.

use std::io;

use serde::Deserialize;

use super::pending_record;
use super::record::{LocalIds, Record, Records, RotationPhase};
use crate::device::Device;
use crate::failpoints::failpoint;
use crate::identity::{Generation, SessionId};
use crate::storage::records::Durability;
use crate::wire::{SessionInfo, User};

const JOURNAL: &str = "journal.json";
const LAST_USER: &str = "user.json";
/// The pending sign-outs.
pub(super) const OUTBOX: &str = "outbox.json";

#[derive(Default, Deserialize)]
struct Journal {
    generation: Generation,
    step: JournalStep,
    /// `None` if the keyring never held the token.
    token_hash: Option<String>,
}

#[derive(Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum JournalStep {
    #[default]
    Idle,
    Login,
    Rotating,
}

#[derive(Deserialize)]
struct LastUser {
    origin: String,
    user: User,
    session: SessionInfo,
    #[serde(default)]
    device: Option<Device>,
}

/// The device of the user who was signed in, in case the device record is lost.
pub(super) fn device(records: &Records) -> Option<Device> {
    let last: Option<LastUser> = records.read_as_is(LAST_USER).ok().flatten();
    last?.device
}

/// Whether the old records are there, all or some.
///
/// # Errors
/// If that is not known now.
pub(super) fn is_there(records: &Records) -> io::Result<bool> {
    let store = records.store();
    Ok(store.exists(JOURNAL)? || store.exists(LAST_USER)?)
}

/// Takes the old records over, if there are any.
///
/// # Errors
/// If they cannot be read, or the new record cannot be written. The old ones stay.
pub(super) fn take_over(
    records: &Records,
    local_ids: LocalIds,
    device: &Device,
    origin: &str,
) -> io::Result<()> {
    let store = records.store();
    if store.exists(OUTBOX)? && !store.exists(pending_record::RECORD)? {
        store.rename(OUTBOX, pending_record::RECORD)?;
    }
    if !is_there(records)? {
        return Ok(());
    }
    // A record that exists was written by a start that was interrupted.
    if records.session()?.is_none() {
        let record = translated(records, local_ids, device, origin)?;
        records.write_session(&record, Durability::Synced)?;
        failpoint!("takeover.recorded");
    }
    store.remove(LAST_USER)?;
    failpoint!("takeover.tidied");
    store.remove(JOURNAL)
}

fn translated(
    records: &Records,
    local_ids: LocalIds,
    device: &Device,
    origin: &str,
) -> io::Result<Record> {
    let journal: Journal = records.read_or_put_aside(JOURNAL)?.unwrap_or_default();
    let last: Option<LastUser> = records.read_or_put_aside(LAST_USER)?;
    let is_known = journal.token_hash.is_some() || last.is_some();
    tracing::info!("taking over the records of an older version");
    let (session, user) = match last {
        Some(last) => (last.session.id, Some(last)),
        None => (SessionId::new(), None),
    };
    Ok(Record {
        session,
        install: local_ids.install,
        account: local_ids.account,
        origin: match &user {
            Some(last) => last.origin.clone(),
            None => origin.to_owned(),
        },
        provider: None,
        generation: journal.generation,
        saved_generation: is_known.then_some(journal.generation),
        phase: match journal.step {
            JournalStep::Rotating => RotationPhase::Rotating,
            JournalStep::Idle | JournalStep::Login => RotationPhase::Idle,
        },
        replaced_at: None,
        expires_at: user
            .as_ref()
            .and_then(|last| last.session.expires_at.clone()),
        device: match &user {
            Some(last) => last.device.clone().unwrap_or_else(|| device.clone()),
            None => device.clone(),
        },
        user: user.map(|last| last.user),
        until_quit: false,
        legacy_item: Some(session),
        replaced: Vec::new(),
    })
}
