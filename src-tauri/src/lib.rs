//! The shell: puts the session core behind a window.
//!
//! Chooses the backend's profile and the keyring, opens one session for each workspace,
//! registers the commands and starts the bridge. Policy lives in `vestibule-core`.

mod bridge;
mod commands;
mod exchanges;
mod fence;
mod hardening;
mod instance;
mod logging;
mod menu;
mod people;
mod permission;
mod preferences;
mod public;
mod reports;
mod settings;
mod window;
mod wiping;
mod workspaces;

use std::sync::Arc;

use tauri::{App, Manager as _};
use vestibule_log::Log;

pub use hardening::harden;

/// Why the app cannot start.
pub type StartError = Box<dyn std::error::Error>;

/// Runs the app until its last window is closed.
///
/// # Errors
/// If the configuration is not valid, or the app's folder cannot be written.
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
        .on_window_event(window::on_event)
        .invoke_handler(commands::handler())
        .setup(move |app| {
            // Tauri panics with what it gets here, and the message of a panic is not told.
            start(app, log).inspect_err(|error| tracing::error!(%error, "the app cannot start"))
        })
        .build(context)?
        .run(|app, event| match event {
            tauri::RunEvent::Exit => logging::end(app),
            #[cfg(target_os = "macos")]
            tauri::RunEvent::Reopen { .. } => window::focus_any(app),
            _ => {}
        });
    Ok(())
}

fn start(app: &App, log: Log) -> Result<(), StartError> {
    // First: a second launch ends here, before it opens anything.
    app.manage(instance::claim(app.handle())?);
    logging::keep(app.handle(), log);
    #[cfg(any(debug_assertions, feature = "e2e"))]
    public::follow_override(app.handle())?;
    let workspaces = workspaces::open(app.handle())?;
    app.manage(workspaces);
    app.manage(Arc::new(fence::Links::configured(app.handle())?));
    preferences::apply(app.handle());
    window::open_first(app.handle())?;
    Ok(())
}

/// `vestibule doctor …`: examines a backend in a terminal, in the place of a window. Without
/// further words it is the one that the app would speak to now. Answers the exit status.
pub fn doctor(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> u8 {
    let app = || {
        let layers = settings::in_use(context().config(), workspaces::DEFAULT);
        let layers = layers.map_err(|error| error.to_string())?;
        Ok(Some(vestibule_doctor::App {
            layers,
            permissions: &permission::ALL,
        }))
    };
    vestibule_doctor::run(arguments, app)
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
