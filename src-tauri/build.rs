//! Declares the app's own command to Tauri's access control, and builds the profile and the names of
//! the rights into the app.

fn main() {
    vestibule_build::build();
    let commands = tauri_build::AppManifest::new().commands(&["export_people"]);
    let attributes = tauri_build::Attributes::new().app_manifest(commands);
    if let Err(error) = tauri_build::try_build(attributes) {
        panic!("the app's configuration is not valid: {error:#}");
    }
}
