//! Declares every command to Tauri's access control: one that is not here cannot be called,
//! and one that no capability names is refused.

fn main() {
    let commands = tauri_build::AppManifest::new().commands(&[
        "session",
        "login",
        "register",
        "verify_otp",
        "resend_otp",
        "cancel_otp",
        "refresh",
        "unlock_keyring",
        "logout",
        "backend_fetch",
        "backend_upload",
        "backend_write",
        "backend_answer",
        "backend_read",
        "backend_cancel",
        "window_ready",
        "new_window",
        "app_info",
        "theme",
        "set_theme",
        "set_reports",
        "open_log_folder",
    ]);
    let attributes = tauri_build::Attributes::new()
        .app_manifest(commands)
        .capabilities_path_pattern("./src-tauri/capabilities/**/*");
    if let Err(error) = tauri_build::try_build(attributes) {
        panic!("the app's configuration is not valid: {error:#}");
    }
}
