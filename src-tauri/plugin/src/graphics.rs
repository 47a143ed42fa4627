//! Avoids a blank window with NVIDIA's own driver. WebKitGTK shares what it has drawn through DMA
//! buffers, and with that driver the buffers are empty or the connection to Wayland ends
//! (tauri-apps/tauri issues 9304 and 9394, WebKit bug 261874). A variable makes the engine use a
//! slower way without DMA buffers.

use std::path::Path;

const DMABUF: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";

/// Exists while NVIDIA's own kernel module is loaded, under either of its licences. The free driver
/// `nouveau` does not create it.
const NVIDIA: &str = "/proc/driver/nvidia/version";

/// Chooses the slower way where the driver is NVIDIA's, unless the user has set the variable: `0`
/// keeps the fast way.
///
/// # Safety
/// No other thread may read the environment at the same time.
#[allow(unsafe_code)]
pub unsafe fn avoid_a_blank_window() {
    let is_set = std::env::var_os(DMABUF).is_some();
    if !is_set && Path::new(NVIDIA).exists() {
        // SAFETY: the caller promises that there is no other thread.
        unsafe { std::env::set_var(DMABUF, "1") }
    }
}
