//! What every Tauri app's build does.

fn main() {
    // It has no capabilities. Cargo would build it anew each time if it watched for a folder that is absent.
    let attributes = tauri_build::Attributes::new().capabilities_path_pattern("none/*.json");
    tauri_build::try_build(attributes).expect("the app's configuration is valid");
}
