//! The shell: connects windows to the sessions of `vestibule-core`.
//!
//! It chooses the backend's profile and the keyring, opens one session for each workspace, registers
//! the commands and sends session changes to the windows. What a session may do is decided in
//! `vestibule-core`.

mod bounds;
mod bridge;
mod command_list;
mod commands;
mod desktop_proxy;
mod elsewhere;
mod exchanges;
mod fence;
#[cfg(target_os = "linux")]
mod graphics;
mod hardening;
mod instance;
mod logging;
mod menu;
mod people;
mod permission;
mod preferences;
mod program;
mod public;
mod reports;
mod settings;
mod window;
mod wiping;
mod workspaces;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use tauri::{AppHandle, Manager as _};
use vestibule_core::error::{AuthError, ErrorCode};
use vestibule_log::Log;

use instance::Instance;
use workspaces::Workspaces;

pub use hardening::harden;
pub use program::Program;

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
        .plugin(window::state_plugin())
        .plugin(public::plugin())
        .menu(menu::menu)
        .on_menu_event(|app, event| menu::on_event(app, event.id().as_ref()))
        .manage(vestibule_core::exchanges::Exchanges::default())
        .manage(bounds::Bounds::default())
        .on_window_event(window::on_event)
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
                elsewhere::remove(app);
                logging::end(app);
            }
            #[cfg(target_os = "macos")]
            tauri::RunEvent::Reopen { .. } => window::focus_any(app),
            _ => {}
        });
    Ok(())
}

fn start(app: &AppHandle, log: Log) -> Result<(), StartError> {
    app.manage(log);
    app.manage(Instance::default());
    // Before everything else, because a second launch ends here and must not have opened anything.
    let claimed = app
        .state::<Instance>()
        .claim(app, instance::HANDOVER_TIMEOUT);
    #[cfg(any(debug_assertions, feature = "e2e"))]
    public::follow_override(app)?;
    let (links, refusal) = match fence::Links::configured(app) {
        Ok(links) => (links, None),
        Err(error) => {
            tracing::error!(%error, "the settings are not valid; no workspace is opened");
            let refusal = AuthError::with_message(ErrorCode::Misconfigured, error);
            (fence::Links::default(), Some(refusal))
        }
    };
    app.manage(Arc::new(links));
    app.manage(Workspaces::closed(app, refusal));
    match claimed {
        // An error is in the log. The window asks for the session again and shows the error.
        Ok(()) => drop(app.state::<Workspaces>().get(None)),
        Err(_) => elsewhere::go(app),
    }
    preferences::apply(app);
    window::open_first(app)?;
    Ok(())
}

/// Runs `vestibule doctor …`, which examines a backend in a terminal. Without arguments it examines
/// the backend that the app would use now. Returns the exit status.
pub fn doctor(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> u8 {
    let app = || {
        let in_use = settings::in_use(context().config(), workspaces::DEFAULT);
        let (layers, policy) = in_use.map_err(|error| error.to_string())?;
        Ok(Some(vestibule_doctor::App {
            layers,
            policy,
            permissions: &permission::ALL,
            desktop: desktop_proxy::desktop(),
        }))
    };
    vestibule_doctor::run(arguments, app)
}

/// Prints the help, or only the version, on standard output.
#[must_use]
pub fn about(program: Program) -> ExitCode {
    program::join_terminal();
    let context = context();
    let package = context.package_info();
    let product = context.config().product_name.as_deref();
    let (product, version) = (
        product.unwrap_or(&package.name),
        package.version.to_string(),
    );
    let text = match program {
        Program::Version => format!("{product} {version}\n"),
        Program::App | Program::Doctor | Program::Help => Program::help(product, &version),
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

/// Two worker threads are enough for a desktop app. The number bounds memory: the allocator keeps up
/// to 2 MiB of freed memory for each thread, and promise P11 is measured with two threads.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build()
}
