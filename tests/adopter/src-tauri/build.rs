fn main() {
    vestibule_build::build();
    tauri_build::build();
}
