//! The commands by which a window calls the adopter's API. A body that is not a small text crosses
//! as raw bytes, one piece for each command.

use tauri::ipc::{InvokeBody, Request, Response};
use tauri::{State, WebviewWindow, Wry, command};
use vestibule_core::wire::{FetchReply, FetchRequest, UploadReply, UploadRequest};
use vestibule_core::{BackendCalls, ErrorCode};

use super::CommandResult;
use crate::accounts::WindowSession;
use crate::command_limits::CommandSlot;

/// The header that names the exchange of a raw body. A command with a raw body has no arguments.
const EXCHANGE: &str = "vestibule-exchange";

#[command]
pub async fn backend_fetch(
    _slot: CommandSlot<Wry>,
    window: WebviewWindow,
    backend_calls: State<'_, BackendCalls>,
    session: WindowSession,
    exchange: u64,
    request: FetchRequest,
) -> CommandResult<FetchReply> {
    let label = window.label();
    backend_calls
        .fetch(label, exchange, &session, request)
        .await
}

#[command]
pub async fn backend_upload(
    _slot: CommandSlot<Wry>,
    window: WebviewWindow,
    backend_calls: State<'_, BackendCalls>,
    session: WindowSession,
    exchange: u64,
    request: UploadRequest,
) -> CommandResult<()> {
    backend_calls.upload(window.label(), exchange, &session, &request)
}

#[command]
pub async fn backend_write(
    _slot: CommandSlot<Wry>,
    window: WebviewWindow,
    backend_calls: State<'_, BackendCalls>,
    request: Request<'_>,
) -> CommandResult<bool> {
    let named = request.headers().get(EXCHANGE);
    let exchange = named.and_then(|number| number.to_str().ok()?.parse().ok());
    let (Some(exchange), InvokeBody::Raw(piece)) = (exchange, request.body()) else {
        return Err(ErrorCode::InvalidInput.into());
    };
    backend_calls.write(window.label(), exchange, piece).await
}

#[command]
pub async fn backend_answer(
    _slot: CommandSlot<Wry>,
    window: WebviewWindow,
    backend_calls: State<'_, BackendCalls>,
    exchange: u64,
) -> CommandResult<UploadReply> {
    backend_calls.answer(window.label(), exchange).await
}

#[command]
pub async fn backend_read(
    _slot: CommandSlot<Wry>,
    window: WebviewWindow,
    backend_calls: State<'_, BackendCalls>,
    exchange: u64,
) -> CommandResult<Response> {
    let piece = backend_calls.read(window.label(), exchange).await?;
    Ok(Response::new(piece))
}

#[command]
pub fn backend_cancel(
    _slot: CommandSlot<Wry>,
    window: WebviewWindow,
    backend_calls: State<'_, BackendCalls>,
    exchange: u64,
) {
    backend_calls.cancel(window.label(), exchange);
}
