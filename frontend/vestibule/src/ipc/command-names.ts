// Generated from src-tauri/plugin/src/command_list.rs by `cargo xtask types`. Do not edit.

/** A command of the plugin. */
export type Command =
  | "session"
  | "refresh"
  | "unlock_keyring"
  | "logout"
  | "login"
  | "register"
  | "verify_otp"
  | "resend_otp"
  | "cancel_otp"
  | "backend_fetch"
  | "backend_upload"
  | "backend_write"
  | "backend_answer"
  | "backend_read"
  | "backend_cancel"
  | "window_ready"
  | "new_window"
  | "app_info"
  | "theme"
  | "set_theme"
  | "set_reports"
  | "open_log_folder";
