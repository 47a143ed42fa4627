//! The commands that pages call. Each hands over to the core and returns. How often a page may call
//! them is in [`crate::command_limits`].

use tauri::ipc::{Invoke, JavaScriptChannelId};
use tauri::{AppHandle, State, Webview, WebviewWindow, Wry, command};
use vestibule_core::wire::{
    AppInfo, Challenge, LoginInput, LogoutReply, RegisterInput, SessionChanged, SignInOutcome,
    Theme,
};
use vestibule_core::{AuthError, ChallengeId, ErrorCode, Secret};

use crate::command_limits::CommandSlot;
use crate::command_list::command_list;
use crate::session_events::SessionChannels;
use crate::workspaces::{self, WindowSession, Workspaces};
use crate::{error_reporting, logging, preferences, windows};

/// Tauri's handler for all commands.
pub fn handler() -> impl Fn(Invoke<Wry>) -> bool + Send + Sync + 'static {
    command_list!(handler)
}

/// The answer of a command.
pub type CommandResult<T> = Result<T, AuthError>;

/// Answers with the state of the window's session, and sends every later change to `changes`.
// Asynchronous, because it tries again where the app could not start, which may take a moment.
#[command]
async fn session(
    _slot: CommandSlot<Wry>,
    session: WindowSession,
    webview: Webview,
    channels: State<'_, SessionChannels>,
    changes: Option<JavaScriptChannelId>,
) -> CommandResult<SessionChanged> {
    if let Some(changes) = changes {
        channels.open(webview.label(), changes.channel_on(webview.clone()));
    }
    Ok(session.snapshot())
}

#[command]
async fn login(
    _slot: CommandSlot<Wry>,
    session: WindowSession,
    input: LoginInput,
) -> CommandResult<SignInOutcome> {
    session.login(input).await
}

#[command]
async fn register(
    _slot: CommandSlot<Wry>,
    session: WindowSession,
    input: RegisterInput,
) -> CommandResult<SignInOutcome> {
    session.register(input).await
}

#[command]
async fn verify_otp(
    _slot: CommandSlot<Wry>,
    session: WindowSession,
    challenge: ChallengeId,
    code: Secret,
) -> CommandResult<SignInOutcome> {
    session.verify_otp(challenge, code).await
}

#[command]
async fn resend_otp(_slot: CommandSlot<Wry>, session: WindowSession) -> CommandResult<Challenge> {
    session.resend_otp().await
}

#[command]
fn cancel_otp(_slot: CommandSlot<Wry>, session: WindowSession) {
    session.cancel_otp();
}

#[command]
async fn refresh(_slot: CommandSlot<Wry>, session: WindowSession) -> CommandResult<()> {
    session.refresh_for_page().await
}

#[command]
async fn unlock_keyring(_slot: CommandSlot<Wry>, session: WindowSession) -> CommandResult<()> {
    session.unlock_keyring().await
}

#[command]
async fn logout(_slot: CommandSlot<Wry>, session: WindowSession) -> CommandResult<LogoutReply> {
    Ok(session.logout().await)
}

#[command]
async fn window_ready(_slot: CommandSlot<Wry>, window: WebviewWindow) -> CommandResult<()> {
    windows::show(&window);
    Ok(())
}

// Asynchronous, because opening a window from a synchronous command deadlocks on Windows.
#[command]
async fn new_window(_slot: CommandSlot<Wry>, app: AppHandle) -> CommandResult<()> {
    windows::open_another(&app)
}

#[command]
fn app_info(
    _slot: CommandSlot<Wry>,
    app: AppHandle,
    session: WindowSession,
    workspaces: State<'_, Workspaces>,
) -> CommandResult<AppInfo> {
    let package = app.package_info();
    let product = app.config().product_name.clone();
    Ok(AppInfo {
        product: product.unwrap_or_else(|| package.name.clone()),
        version: package.version.to_string(),
        development: cfg!(debug_assertions),
        workspace: workspaces::DEFAULT.into(),
        origin: session.origin(),
        reports: error_reporting::user_choice(&app),
        policy: workspaces.policy(workspaces::DEFAULT),
    })
}

#[command]
fn theme(_slot: CommandSlot<Wry>, app: AppHandle) -> Theme {
    preferences::theme(&app)
}

#[command]
fn set_theme(_slot: CommandSlot<Wry>, app: AppHandle, theme: Theme) -> CommandResult<()> {
    preferences::set_theme(&app, theme).map_err(internal)
}

#[command]
fn set_reports(_slot: CommandSlot<Wry>, app: AppHandle, on: bool) -> CommandResult<()> {
    error_reporting::set_user_choice(&app, on).map_err(internal)
}

#[command]
async fn open_log_folder(_slot: CommandSlot<Wry>, app: AppHandle) -> CommandResult<()> {
    logging::open_folder(&app).map_err(internal)
}

/// Logs the cause of a fault of this app; the page gets a sentence without it.
pub fn internal(error: impl std::fmt::Display) -> AuthError {
    tracing::error!(%error, "a command failed");
    ErrorCode::Internal.into()
}
