//! The shell: puts the session core behind a window.
//!
//! Chooses the backend's profile and the keyring, opens one session for each workspace,
//! registers the commands and starts the bridge. Policy lives in `vestibule-core`.

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
/// If the configuration is not valid, or there can be no window. What else keeps the app from
/// starting is said in the window.
pub fn run() -> Result<(), StartError> {
    let log = vestibule_log::start();
    let mut context = context();
    if tauri::is_dev() {
        // The page comes from Next's own server then, whose tools write to prototypes. A build
        // that carries its pages, every release among them, is never `is_dev`.
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
            // Tauri panics with what it gets here, and the message of a panic is not told. So
            // only a window that cannot be had is an error: everything else it can say.
            start(app.handle(), log)
                .inspect_err(|error| tracing::error!(%error, "there is no window"))
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
    // First: a second launch ends here, before it opens anything.
    let claimed = app.state::<Instance>().claim(app, instance::PATIENCE);
    #[cfg(any(debug_assertions, feature = "e2e"))]
    public::follow_override(app)?;
    let (links, refusal) = match fence::Links::configured(app) {
        Ok(links) => (links, None),
        Err(error) => {
            tracing::error!(%error, "the settings are not valid");
            let refusal = AuthError::with_message(ErrorCode::Misconfigured, error);
            (fence::Links::default(), Some(refusal))
        }
    };
    app.manage(Arc::new(links));
    app.manage(Workspaces::closed(app, refusal));
    match claimed {
        // What goes wrong is in the log; the window asks again, and shows it.
        Ok(()) => drop(app.state::<Workspaces>().get(None)),
        Err(_) => elsewhere::go(app),
    }
    preferences::apply(app);
    window::open_first(app)?;
    Ok(())
}

/// `vestibule doctor …`: examines a backend in a terminal, in the place of a window. Without
/// further words it is the one that the app would speak to now. Answers the exit status.
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

/// Says on standard output what can be typed, or only which version this is.
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

/// What the app was built with. Once: it holds the pages.
fn context() -> tauri::Context {
    let mut context: tauri::Context = tauri::generate_context!();
    if cfg!(debug_assertions) {
        // Keyring service, folders and bus name follow from it: a development run never
        // meets the installed app.
        context.config_mut().identifier.push_str(".dev");
    }
    context
}

/// Two threads serve a desktop app. The number bounds memory: the allocator keeps up to 2 MiB
/// of what was freed for each thread, and promise P11 is measured with two.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build()
}
