#[global_allocator]
static ALLOCATOR: tauri_plugin_vestibule::ZeroingAllocator =
    tauri_plugin_vestibule::ZeroingAllocator;

pub fn run() {
    tauri::Builder::default()
        .plugin(tauri_plugin_vestibule::init())
        .setup(|app| Ok(tauri_plugin_vestibule::window(app.handle(), "main").build()?))
        .run(tauri::generate_context!())
        .expect("error while running tauri application");
}
