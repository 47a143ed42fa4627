//! The window that stays blank beside NVIDIA's own driver: WebKitGTK shares what it has drawn
//! through DMA buffers, and with that driver the buffers come out empty or end the connection to
//! Wayland (tauri-apps/tauri issues 9304 and 9394, WebKit bug 261874). The engine has a slower
//! way without them, which takes a variable.

use std::path::Path;

const DMABUF: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";

/// There while NVIDIA's own module is in the kernel, whichever licence that has. The free
/// `nouveau` does not make it.
const NVIDIA: &str = "/proc/driver/nvidia/version";

/// Takes the slower way where the driver is NVIDIA's, unless the user has set the variable:
/// `0` keeps the fast one.
///
/// # Safety
/// No other thread may read the environment meanwhile.
#[allow(unsafe_code)]
pub unsafe fn avoid_a_blank_window() {
    let is_set = std::env::var_os(DMABUF).is_some();
    if !is_set && Path::new(NVIDIA).exists() {
        // SAFETY: the caller promises that there is no other thread.
        unsafe { std::env::set_var(DMABUF, "1") }
    }
}
