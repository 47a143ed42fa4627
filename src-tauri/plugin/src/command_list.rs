//! The one list of the plugin's commands, by group. From it follow what Tauri lets pages call
//! (`build.rs`), the handler ([`crate::commands`]) and, by `cargo xtask types`, the groups of
//! permissions (`permissions/groups.toml`) and the functions by which the page calls them
//! (`frontend/vestibule/src/ipc/commands.ts`).
//!
//! A command stands here as the page sees it: with the arguments that the page sends, and with what it
//! answers. Their types are those of `vestibule_core::wire`; numbers of a page are `f64`. `raw` is a
//! command that takes bytes and headers in place of arguments.
//!
//! `command_list!(names)` is an array of their names, `command_list!(handler)` the handler;
//! `command_list!(each with m(tokens))` calls the macro `m` with these tokens and then the list.

macro_rules! command_list {
    (@names $($(#[$about:meta])* $group:ident { $($name:ident $args:tt $(-> $answer:ty)?;)* })*) => {
        [$($(stringify!($name)),*),*]
    };
    (@handler $($(#[$about:meta])* $group:ident { $($name:ident $args:tt $(-> $answer:ty)?;)* })*) => {
        ::tauri::generate_handler![$($(crate::commands::$group::$name),*),*]
    };
    (each with $then:ident($($first:tt)*)) => {
        command_list! { @list $then ($($first)*) }
    };
    ($what:ident) => {
        command_list! { @list command_list (@$what) }
    };
    (@list $then:ident ($($first:tt)*)) => {
        $then! {
            $($first)*
            /// To see the session and its changes, renew it, unlock the keyring and sign out.
            session {
                session(changes: Option<Channel<SessionChanged>>) -> SessionChanged;
                refresh();
                unlock_keyring();
                logout() -> LogoutReply;
            }
            /// To sign in, with a password and a second factor, and to make an account.
            sign_in {
                login(input: LoginInput) -> SignInOutcome;
                register(input: RegisterInput) -> SignInOutcome;
                verify_otp(input: OtpInput) -> SignInOutcome;
                send_otp() -> Challenge;
                cancel_otp();
            }
            /// To sign in by the system's browser, or on another device by a code.
            browser_sign_in {
                sign_in_by_browser(input: BrowserSignInInput) -> SignInOutcome;
                open_browser_again();
                copy_browser_address();
                cancel_browser_sign_in();
            }
            /// To list the account's sessions, here and on other devices, and end them.
            session_list {
                sessions() -> SessionList;
                end_session(id: String);
                end_other_sessions();
            }
            /// To call the backend's API with the session. The profile's `api.allow` says which paths.
            backend_calls {
                backend_fetch(exchange: f64, request: FetchRequest) -> FetchReply;
                backend_upload(exchange: f64, request: UploadRequest);
                backend_write(raw) -> bool;
                backend_answer(exchange: f64) -> UploadReply;
                backend_read(exchange: f64) -> ArrayBuffer;
                backend_cancel(exchange: f64);
            }
            /// To see all accounts, show another one in the window, and add and remove accounts and
            /// workspaces.
            accounts {
                accounts(changes: Option<Channel<AccountList>>) -> AccountList;
                switch_account(account: String);
                add_account(workspace: String);
                remember_account(on: bool);
                remove_account(account: String);
                logout_all();
                look_at_workspace(address: String) -> FoundWorkspace;
                add_workspace(address: String);
                remove_workspace(workspace: String);
            }
            /// To show what links ask that were opened from outside the app, and to open a link that a
            /// person has pasted.
            deep_links {
                link_notices(changes: Option<Channel<LinkNotices>>) -> LinkNotices;
                take_link_notice(id: f64);
                open_link(link: String) -> OpenedLink;
            }
            /// To show the window, open another, read about the app, choose the theme and reports of
            /// failures, and open the folder of the log.
            app {
                window_ready();
                new_window();
                app_info() -> AppInfo;
                theme() -> Theme;
                set_theme(theme: Theme);
                set_reports(on: bool);
                open_log_folder();
            }
        }
    };
}

pub(crate) use command_list;
