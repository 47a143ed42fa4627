//! The example app: what an adopter writes.

mod people_export;

use tauri::webview::Color;

/// What `build.rs` builds in.
pub mod built {
    include!(concat!(env!("OUT_DIR"), "/vestibule.rs"));
}

#[global_allocator]
static ALLOCATOR: tauri_plugin_vestibule::ZeroingAllocator =
    tauri_plugin_vestibule::ZeroingAllocator;

/// The page's `--ground` in `frontend/app/globals.css`, light and dark.
const BACKGROUND: (Color, Color) = (Color(0xf6, 0xf6, 0xf3, 0xff), Color(0x11, 0x14, 0x13, 0xff));

/// In a development build the sign-in page offers the demo accounts of the bundled backend.
const DEVELOPMENT_PATHS: &[&str] = if cfg!(debug_assertions) {
    &["/demo-accounts"]
} else {
    &[]
};

/// Runs the app until its last window is closed.
///
/// # Errors
/// If the configuration is not valid, or no window can be opened. The window shows everything else
/// that keeps the app from starting.
pub fn run() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = runtime()?;
    tauri::async_runtime::set(runtime.handle().clone());
    let vestibule = tauri_plugin_vestibule::Builder::new()
        .profile(built::PROFILE)
        .background(BACKGROUND.0, BACKGROUND.1)
        .allow(DEVELOPMENT_PATHS)
        .build();
    tauri::Builder::default()
        .plugin(vestibule)
        .plugin(tauri_plugin_vestibule::public_fetch(
            tauri_plugin_http::init(),
        ))
        .invoke_handler(tauri::generate_handler![people_export::export_people])
        .setup(|app| Ok(tauri_plugin_vestibule::window(app.handle(), "main").build()?))
        .run(context())?;
    Ok(())
}

/// What the app was built with. `generate_context!` is used only here, because each use of it puts
/// another copy of the pages into the binary.
#[must_use]
pub fn context() -> tauri::Context {
    let mut context: tauri::Context = tauri::generate_context!();
    if cfg!(debug_assertions) {
        // The keyring's service, the folders and the bus name contain the identifier. With another
        // one a development run shares nothing with the installed app.
        context.config_mut().identifier.push_str(".dev");
    }
    if tauri::is_dev() {
        // In development the pages come from Next's server, whose tools write to prototypes. A
        // build that contains its pages, such as a release, is never `is_dev`.
        context.config_mut().app.security.freeze_prototype = false;
    }
    context
}

/// Two worker threads are enough for a desktop app. The number bounds memory: the allocator keeps
/// up to 2 MiB of freed memory for each thread, and the memory of a refused answer is measured with
/// two.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build()
}
