//! Whether failures are reported, and to whom. Three things are needed: a build with the feature
//! `sentry`, a Sentry project in `plugins.telemetry.sentry` of `tauri.conf.json`, and a user who
//! has agreed. Without any of them nothing is sent.

use tauri::AppHandle;

use crate::preferences;

/// Whether the user has agreed; `None` where this app cannot report anything.
pub fn user_choice(app: &AppHandle) -> Option<bool> {
    address(app).map(|_| preferences::reports(app))
}

/// Keeps the user's choice and applies it.
pub fn set_user_choice(app: &AppHandle, on: bool) -> Result<(), tauri_plugin_store::Error> {
    preferences::set_reports(app, on)?;
    apply(app);
    Ok(())
}

#[cfg(not(feature = "sentry"))]
fn address(_app: &AppHandle) -> Option<String> {
    None
}

#[cfg(not(feature = "sentry"))]
pub fn apply(_app: &AppHandle) {}

#[cfg(feature = "sentry")]
fn address(app: &AppHandle) -> Option<String> {
    let section = app.config().plugins.0.get("telemetry")?;
    Some(section.get("sentry")?.as_str()?.to_owned())
}

/// Starts or stops reporting, as the user has chosen.
#[cfg(feature = "sentry")]
pub fn apply(app: &AppHandle) {
    use std::sync::Arc;

    use tauri::Manager as _;
    use vestibule_log::Log;
    use vestibule_log::report::Reporter;
    use vestibule_log::sentry::{About, Sentry};

    let wanted = address(app).filter(|_| preferences::reports(app));
    let reporter = wanted.and_then(|address| {
        let package = app.package_info();
        let about = About {
            release: format!("{}@{}", package.name, package.version),
            environment: if cfg!(debug_assertions) {
                "development".into()
            } else {
                "production".into()
            },
        };
        let runtime = tauri::async_runtime::handle();
        let network = crate::backend_profile::network(app);
        let network = network
            .inspect_err(|error| tracing::warn!(%error, "the network settings cannot be read, so failures are not reported"))
            .ok()?;
        let sentry = Sentry::new(&address, about, runtime.inner(), network);
        sentry
            .inspect_err(|error| tracing::warn!(%error, "the Sentry project cannot be used, so failures are not reported"))
            .ok()
    });
    let reporter = reporter.map(|sentry| Arc::new(sentry) as Arc<dyn Reporter>);
    if let Some(log) = app.try_state::<Log>() {
        log.report_to(reporter);
    }
}
