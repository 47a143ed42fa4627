//! The commands by which a window calls the adopter's API. A body that is not a small text crosses
//! as raw bytes, one piece for each command.

use tauri::ipc::{InvokeBody, Request, Response};
use tauri::{State, WebviewWindow, Wry, command};
use vestibule_core::error::ErrorCode;
use vestibule_core::exchanges::Exchanges;
use vestibule_core::wire::{FetchReply, FetchRequest, UploadReply, UploadRequest};

use crate::bounds::Permit;
use crate::commands::Reply;
use crate::workspaces::Workspaces;

/// The header that names the exchange of a raw body. A command with a raw body has no arguments.
const EXCHANGE: &str = "vestibule-exchange";

#[command]
pub async fn backend_fetch(
    _permit: Permit<Wry>,
    window: WebviewWindow,
    exchanges: State<'_, Exchanges>,
    workspaces: State<'_, Workspaces>,
    workspace: Option<String>,
    exchange: u64,
    request: FetchRequest,
) -> Reply<FetchReply> {
    let session = workspaces.get(workspace.as_deref())?;
    let label = window.label();
    exchanges.fetch(label, exchange, &session, request).await
}

#[command]
pub async fn backend_upload(
    _permit: Permit<Wry>,
    window: WebviewWindow,
    exchanges: State<'_, Exchanges>,
    workspaces: State<'_, Workspaces>,
    workspace: Option<String>,
    exchange: u64,
    request: UploadRequest,
) -> Reply<()> {
    let session = workspaces.get(workspace.as_deref())?;
    exchanges.upload(window.label(), exchange, &session, &request)
}

#[command]
pub async fn backend_write(
    _permit: Permit<Wry>,
    window: WebviewWindow,
    exchanges: State<'_, Exchanges>,
    request: Request<'_>,
) -> Reply<bool> {
    let named = request.headers().get(EXCHANGE);
    let exchange = named.and_then(|number| number.to_str().ok()?.parse().ok());
    let (Some(exchange), InvokeBody::Raw(piece)) = (exchange, request.body()) else {
        return Err(ErrorCode::InvalidInput.into());
    };
    exchanges.write(window.label(), exchange, piece).await
}

#[command]
pub async fn backend_answer(
    _permit: Permit<Wry>,
    window: WebviewWindow,
    exchanges: State<'_, Exchanges>,
    exchange: u64,
) -> Reply<UploadReply> {
    exchanges.answer(window.label(), exchange).await
}

#[command]
pub async fn backend_read(
    _permit: Permit<Wry>,
    window: WebviewWindow,
    exchanges: State<'_, Exchanges>,
    exchange: u64,
) -> Reply<Response> {
    let piece = exchanges.read(window.label(), exchange).await?;
    Ok(Response::new(piece))
}

#[command]
pub fn backend_cancel(
    _permit: Permit<Wry>,
    window: WebviewWindow,
    exchanges: State<'_, Exchanges>,
    exchange: u64,
) {
    exchanges.cancel(window.label(), exchange);
}
