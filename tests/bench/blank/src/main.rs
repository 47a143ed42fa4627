//! A window with an empty page: the cost of any Tauri window.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use tauri::{WebviewUrl, WebviewWindowBuilder};

fn main() -> tauri::Result<()> {
    tauri::Builder::default()
        .setup(|app| {
            WebviewWindowBuilder::new(app, "main", WebviewUrl::default())
                .title("Blank")
                .inner_size(1120.0, 760.0)
                .build()?;
            Ok(())
        })
        .run(tauri::generate_context!())
}
