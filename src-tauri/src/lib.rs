//! The shell: connects windows to the sessions of `vestibule-core`.
//!
//! It chooses the backend's profile and the keyring, opens one session for each workspace,
//! registers the commands and sends session changes to the windows. What a session may do is
//! decided in `vestibule-core`.

mod backend_calls;
mod backend_profile;
mod cli;
mod command_limits;
mod command_list;
mod commands;
mod desktop_proxy;
mod error_reporting;
mod fallback_data_dir;
#[cfg(target_os = "linux")]
mod graphics;
mod hardening;
mod lockdown;
mod logging;
mod menu;
mod people_export;
mod preferences;
mod public_fetch;
mod rights;
mod session_events;
mod single_instance;
mod windows;
mod workspaces;
mod zeroing_allocator;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use tauri::{AppHandle, Manager as _};
use vestibule_core::{AuthError, ErrorCode};
use vestibule_log::Log;

use single_instance::SingleInstance;
use workspaces::Workspaces;

pub use cli::CliCommand;
pub use hardening::harden;

/// Why the app cannot start.
pub type StartError = Box<dyn std::error::Error>;

/// Runs the app until its last window is closed.
///
/// # Errors
/// If the configuration is not valid, or no window can be opened. The window shows everything else
/// that keeps the app from starting.
pub fn run() -> Result<(), StartError> {
    let log = vestibule_log::start();
    let mut context = context();
    if tauri::is_dev() {
        // In development the pages come from Next's server, whose tools write to prototypes. A
        // build that contains its pages, such as a release, is never `is_dev`.
        context.config_mut().app.security.freeze_prototype = false;
    }
    let runtime = runtime()?;
    tauri::async_runtime::set(runtime.handle().clone());
    tauri::Builder::default()
        .plugin(tauri_plugin_store::Builder::default().build())
        .plugin(windows::state_plugin())
        .plugin(public_fetch::plugin())
        .menu(menu::menu)
        .on_menu_event(|app, event| menu::on_event(app, event.id().as_ref()))
        .manage(vestibule_core::BackendCalls::default())
        .manage(command_limits::CommandLimits::default())
        .manage(session_events::SessionChannels::default())
        .on_window_event(windows::on_event)
        .invoke_handler(commands::handler())
        .setup(move |app| {
            // Tauri panics with an error from here, and the log does not show messages of panics.
            // So the only error is that no window can be opened: a window can show all others.
            start(app.handle(), log)
                .inspect_err(|error| tracing::error!(%error, "no window can be opened"))
        })
        .build(context)?
        .run(|app, event| match event {
            tauri::RunEvent::Exit => {
                fallback_data_dir::remove(app);
                logging::end(app);
            }
            #[cfg(target_os = "macos")]
            tauri::RunEvent::Reopen { .. } => windows::focus_any(app),
            _ => {}
        });
    Ok(())
}

fn start(app: &AppHandle, log: Log) -> Result<(), StartError> {
    app.manage(log);
    app.manage(SingleInstance::default());
    // Before everything else, because a second launch ends here and must not have opened anything.
    let claimed = app
        .state::<SingleInstance>()
        .claim(app, single_instance::HANDOVER_TIMEOUT);
    #[cfg(any(debug_assertions, feature = "e2e"))]
    public_fetch::allow_overridden_backend(app)?;
    let (links, refusal) = match lockdown::Links::configured(app) {
        Ok(links) => (links, None),
        Err(error) => {
            tracing::error!(%error, "the settings are not valid; no workspace is opened");
            let refusal = AuthError::with_message(ErrorCode::Misconfigured, error);
            (lockdown::Links::default(), Some(refusal))
        }
    };
    app.manage(Arc::new(links));
    app.manage(Workspaces::closed(app, refusal));
    match claimed {
        // An error is in the log. The window asks for the session again and shows the error.
        Ok(()) => drop(app.state::<Workspaces>().get(workspaces::DEFAULT)),
        Err(_) => fallback_data_dir::create(app),
    }
    preferences::apply(app);
    windows::open_first(app)?;
    Ok(())
}

/// Runs `vestibule doctor …`, which examines a backend in a terminal. Without arguments it examines
/// the backend that the app would use now. Returns the exit status.
pub fn doctor(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> u8 {
    let app = || {
        let in_use = backend_profile::layers_in_use(context().config(), workspaces::DEFAULT);
        let (layers, policy) = in_use.map_err(|error| error.to_string())?;
        Ok(Some(vestibule_doctor::App {
            layers,
            policy,
            rights: &rights::ALL,
            desktop: desktop_proxy::desktop(),
        }))
    };
    vestibule_doctor::run(arguments, app)
}

/// Prints the help, or only the version, on standard output.
#[must_use]
pub fn about(command: CliCommand) -> ExitCode {
    cli::attach_terminal();
    let context = context();
    let package = context.package_info();
    let product = context.config().product_name.as_deref();
    let (product, version) = (
        product.unwrap_or(&package.name),
        package.version.to_string(),
    );
    let text = match command {
        CliCommand::Version => format!("{product} {version}\n"),
        CliCommand::App | CliCommand::Doctor | CliCommand::Help => {
            CliCommand::help(product, &version)
        }
    };
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// What the app was built with. `generate_context!` is used only here, because each use of it puts
/// another copy of the pages into the binary.
fn context() -> tauri::Context {
    let mut context: tauri::Context = tauri::generate_context!();
    if cfg!(debug_assertions) {
        // The keyring's service, the folders and the bus name contain the identifier. With another
        // one a development run shares nothing with the installed app.
        context.config_mut().identifier.push_str(".dev");
    }
    context
}

/// Two worker threads are enough for a desktop app. The number bounds memory: the allocator keeps
/// up to 2 MiB of freed memory for each thread, and the memory of a refused answer is measured with two.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build()
}
