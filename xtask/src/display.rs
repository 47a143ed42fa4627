//! Whether a window can be opened here.

use crate::failure::{Outcome, said};
use crate::process;

/// Stops with one line on a machine without a display.
pub fn check() -> Outcome {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    if !cfg!(target_os = "linux") || is_there(set) {
        return Ok(());
    }
    let install = if process::find("xvfb-run").is_some() {
        ""
    } else {
        " (`cargo xtask setup` installs xvfb-run)"
    };
    Err(said(format!(
        "there is no display here: neither DISPLAY nor WAYLAND_DISPLAY is set. On a machine without a screen use `xvfb-run cargo xtask dev`{install}."
    )))
}

/// Whether the environment names a display; `set` tells whether a variable is set.
pub fn is_there(set: impl Fn(&str) -> bool) -> bool {
    set("DISPLAY") || set("WAYLAND_DISPLAY")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_kind_of_display_will_do() {
        assert!(is_there(|name| name == "DISPLAY"));
        assert!(is_there(|name| name == "WAYLAND_DISPLAY"));
        assert!(!is_there(|_| false));
    }
}
