//! The one list of commands. A page in a window of the app may call each of them, and nothing
//! else: from this list follow what Tauri lets pages call (`build.rs`), the handler
//! ([`crate::commands`]), and the names that a page can write
//! (`frontend/vestibule/src/ipc/command-names.ts`, by `cargo xtask types`).
//!
//! `command_list!(names)` is an array of their names, `command_list!(handler)` the handler.

macro_rules! command_list {
    (@names $($module:ident :: $name:ident,)*) => {
        [$(stringify!($name)),*]
    };
    (@handler $($module:ident :: $name:ident,)*) => {
        ::tauri::generate_handler![$(crate::$module::$name),*]
    };
    ($what:ident) => {
        command_list! {
            @$what
            commands::session,
            commands::login,
            commands::register,
            commands::verify_otp,
            commands::resend_otp,
            commands::cancel_otp,
            commands::refresh,
            commands::unlock_keyring,
            commands::logout,
            backend_calls::backend_fetch,
            backend_calls::backend_upload,
            backend_calls::backend_write,
            backend_calls::backend_answer,
            backend_calls::backend_read,
            backend_calls::backend_cancel,
            commands::window_ready,
            commands::new_window,
            commands::app_info,
            commands::theme,
            commands::set_theme,
            commands::set_reports,
            commands::open_log_folder,
            people_export::export_people,
        }
    };
}

pub(crate) use command_list;
