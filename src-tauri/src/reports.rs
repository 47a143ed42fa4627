//! Whether failures are reported, and to whom: to the Sentry project that the adopter names
//! in `plugins.telemetry.sentry` of `tauri.conf.json`, in a build with the feature `sentry`,
//! by a user who has agreed. Without any one of the three nothing is sent.

use tauri::AppHandle;

use crate::preferences;

/// The user's answer; `None` where this app cannot report anything.
pub fn chosen(app: &AppHandle) -> Option<bool> {
    address(app).map(|_| preferences::reports(app))
}

/// Keeps the user's answer and acts on it.
pub fn choose(app: &AppHandle, on: bool) -> Result<(), tauri_plugin_store::Error> {
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

/// Begins or ceases to report, as the user wants it.
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
        let sentry = Sentry::new(
            &address,
            about,
            runtime.inner(),
            crate::desktop_proxy::desktop(),
        );
        sentry
            .inspect_err(|error| tracing::warn!(%error, "failures cannot be reported"))
            .ok()
    });
    let reporter = reporter.map(|sentry| Arc::new(sentry) as Arc<dyn Reporter>);
    app.state::<Log>().report_to(reporter);
}
