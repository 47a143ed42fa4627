//! Declares the commands of `src/command_list.rs` to Tauri's access control.

#[path = "src/command_list.rs"]
mod command_list;

use command_list::command_list;

fn main() {
    tauri_plugin::Builder::new(&command_list!(names)).build();
}
