//! The commands by which a person signs in.

use tauri::{Wry, command};
use vestibule_core::wire::{Challenge, LoginInput, OtpInput, RegisterInput, SignInOutcome};

use super::CommandResult;
use crate::accounts::WindowSession;
use crate::command_limits::CommandSlot;

#[command]
pub async fn login(
    _slot: CommandSlot<Wry>,
    session: WindowSession,
    input: LoginInput,
) -> CommandResult<SignInOutcome> {
    session.login(input).await
}

#[command]
pub async fn register(
    _slot: CommandSlot<Wry>,
    session: WindowSession,
    input: RegisterInput,
) -> CommandResult<SignInOutcome> {
    session.register(input).await
}

#[command]
pub async fn verify_otp(
    _slot: CommandSlot<Wry>,
    session: WindowSession,
    input: OtpInput,
) -> CommandResult<SignInOutcome> {
    session.verify_otp(input).await
}

#[command]
pub async fn send_otp(_slot: CommandSlot<Wry>, session: WindowSession) -> CommandResult<Challenge> {
    session.send_otp().await
}

#[command]
pub fn cancel_otp(_slot: CommandSlot<Wry>, session: WindowSession) {
    session.cancel_otp();
}
