//! The commands by which a page lists the account's sessions and ends them.

use tauri::{Wry, command};
use vestibule_core::ListedSessionId;
use vestibule_core::wire::SessionList;

use super::CommandResult;
use crate::accounts::WindowSession;
use crate::command_limits::CommandSlot;

#[command]
pub async fn sessions(
    _slot: CommandSlot<Wry>,
    session: WindowSession,
) -> CommandResult<SessionList> {
    session.list_sessions().await
}

#[command]
pub async fn end_session(
    _slot: CommandSlot<Wry>,
    session: WindowSession,
    id: ListedSessionId,
) -> CommandResult<()> {
    session.end_session(id).await
}

#[command]
pub async fn end_other_sessions(
    _slot: CommandSlot<Wry>,
    session: WindowSession,
) -> CommandResult<()> {
    session.end_other_sessions().await
}
