//! The commands that pages call. Each hands over to the core and returns. How often a page may call
//! them is in [`crate::bounds`].

use tauri::ipc::Invoke;
use tauri::{AppHandle, State, WebviewWindow, Wry, command};
use vestibule_core::error::{AuthError, ErrorCode};
use vestibule_core::identity::ChallengeId;
use vestibule_core::secrets::Secret;
use vestibule_core::wire::{
    AppInfo, Challenge, LoginInput, LogoutReply, RegisterInput, SessionChanged, SignInOutcome,
    Theme,
};

use crate::bounds::Permit;
use crate::command_list::command_list;
use crate::workspaces::{self, Workspaces};
use crate::{logging, preferences, reports, window};

/// Tauri's handler for all commands.
pub fn handler() -> impl Fn(Invoke<Wry>) -> bool + Send + Sync + 'static {
    command_list!(handler)
}

/// The answer of a command.
pub type Reply<T> = Result<T, AuthError>;

// Asynchronous, because it tries again where the app could not start, which may take a moment.
#[command]
async fn session(
    _permit: Permit<Wry>,
    workspaces: State<'_, Workspaces>,
    workspace: Option<String>,
) -> Reply<SessionChanged> {
    Ok(workspaces.get(workspace.as_deref())?.snapshot())
}

#[command]
async fn login(
    _permit: Permit<Wry>,
    workspaces: State<'_, Workspaces>,
    workspace: Option<String>,
    input: LoginInput,
) -> Reply<SignInOutcome> {
    workspaces.get(workspace.as_deref())?.login(input).await
}

#[command]
async fn register(
    _permit: Permit<Wry>,
    workspaces: State<'_, Workspaces>,
    workspace: Option<String>,
    input: RegisterInput,
) -> Reply<SignInOutcome> {
    workspaces.get(workspace.as_deref())?.register(input).await
}

#[command]
async fn verify_otp(
    _permit: Permit<Wry>,
    workspaces: State<'_, Workspaces>,
    workspace: Option<String>,
    challenge: ChallengeId,
    code: Secret,
) -> Reply<SignInOutcome> {
    let session = workspaces.get(workspace.as_deref())?;
    session.verify_otp(challenge, code).await
}

#[command]
async fn resend_otp(
    _permit: Permit<Wry>,
    workspaces: State<'_, Workspaces>,
    workspace: Option<String>,
) -> Reply<Challenge> {
    workspaces.get(workspace.as_deref())?.resend_otp().await
}

#[command]
fn cancel_otp(
    _permit: Permit<Wry>,
    workspaces: State<'_, Workspaces>,
    workspace: Option<&str>,
) -> Reply<()> {
    workspaces.get(workspace)?.cancel_otp();
    Ok(())
}

#[command]
async fn refresh(
    _permit: Permit<Wry>,
    workspaces: State<'_, Workspaces>,
    workspace: Option<String>,
) -> Reply<()> {
    let session = workspaces.get(workspace.as_deref())?;
    session.refresh_for_page().await
}

#[command]
async fn unlock_keyring(
    _permit: Permit<Wry>,
    workspaces: State<'_, Workspaces>,
    workspace: Option<String>,
) -> Reply<()> {
    let session = workspaces.get(workspace.as_deref())?;
    session.unlock_keyring().await
}

#[command]
async fn logout(
    _permit: Permit<Wry>,
    workspaces: State<'_, Workspaces>,
    workspace: Option<String>,
) -> Reply<LogoutReply> {
    Ok(workspaces.get(workspace.as_deref())?.logout().await)
}

#[command]
async fn window_ready(_permit: Permit<Wry>, window: WebviewWindow) -> Reply<()> {
    window::show(&window);
    Ok(())
}

// Asynchronous, because opening a window from a synchronous command deadlocks on Windows.
#[command]
async fn new_window(_permit: Permit<Wry>, app: AppHandle) -> Reply<()> {
    window::open_another(&app)
}

#[command]
fn app_info(
    _permit: Permit<Wry>,
    app: AppHandle,
    workspaces: State<'_, Workspaces>,
) -> Reply<AppInfo> {
    let package = app.package_info();
    let product = app.config().product_name.clone();
    let origin = workspaces.get(None)?.origin();
    Ok(AppInfo {
        product: product.unwrap_or_else(|| package.name.clone()),
        version: package.version.to_string(),
        development: cfg!(debug_assertions),
        workspace: workspaces::DEFAULT.into(),
        origin,
        reports: reports::chosen(&app),
        policy: workspaces.policy(None),
    })
}

#[command]
fn theme(_permit: Permit<Wry>, app: AppHandle) -> Theme {
    preferences::theme(&app)
}

#[command]
fn set_theme(_permit: Permit<Wry>, app: AppHandle, theme: Theme) -> Reply<()> {
    preferences::set_theme(&app, theme).map_err(internal)
}

#[command]
fn set_reports(_permit: Permit<Wry>, app: AppHandle, on: bool) -> Reply<()> {
    reports::choose(&app, on).map_err(internal)
}

#[command]
async fn open_log_folder(_permit: Permit<Wry>, app: AppHandle) -> Reply<()> {
    logging::open_folder(&app).map_err(internal)
}

/// Logs the cause of a fault of this app; the page gets a sentence without it.
pub fn internal(error: impl std::fmt::Display) -> AuthError {
    tracing::error!(%error, "a command failed");
    ErrorCode::Internal.into()
}
