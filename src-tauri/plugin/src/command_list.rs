//! The one list of the plugin's commands. From it follow what Tauri lets pages call (`build.rs` and
//! the sets in `permissions`), the handler ([`crate::commands`]), and the names that a page can write
//! (`frontend/vestibule/src/ipc/command-names.ts`, by `cargo xtask types`).
//!
//! `command_list!(names)` is an array of their names, `command_list!(handler)` the handler.

macro_rules! command_list {
    (@names $($module:ident :: $name:ident,)*) => {
        [$(stringify!($name)),*]
    };
    (@handler $($module:ident :: $name:ident,)*) => {
        ::tauri::generate_handler![$(crate::commands::$module::$name),*]
    };
    ($what:ident) => {
        command_list! {
            @$what
            session::session,
            session::refresh,
            session::unlock_keyring,
            session::logout,
            sign_in::login,
            sign_in::register,
            sign_in::verify_otp,
            sign_in::resend_otp,
            sign_in::cancel_otp,
            backend_calls::backend_fetch,
            backend_calls::backend_upload,
            backend_calls::backend_write,
            backend_calls::backend_answer,
            backend_calls::backend_read,
            backend_calls::backend_cancel,
            app::window_ready,
            app::new_window,
            app::app_info,
            app::theme,
            app::set_theme,
            app::set_reports,
            app::open_log_folder,
        }
    };
}

pub(crate) use command_list;
