#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

#[global_allocator]
static ALLOCATOR: tauri_plugin_vestibule::ZeroingAllocator =
    tauri_plugin_vestibule::ZeroingAllocator;

fn main() {
    tauri_plugin_vestibule::harden();
    tauri::Builder::default()
        .plugin(tauri_plugin_vestibule::init())
        .setup(|app| Ok(tauri_plugin_vestibule::window(app.handle(), "main").build()?))
        .run(tauri::generate_context!())
        .expect("the app cannot start");
}
