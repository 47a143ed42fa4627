//! What the web engine does beside loading what a page names, and how it is switched off.
//!
//! `<link rel="dns-prefetch">` asks a name server for whatever host it names: no policy of the
//! page covers it and it takes no proxy, so whoever keeps a domain reads a password from the
//! names that are asked for. Engines have more of that kind, each behind a feature of its own.
//! None of them is of use to a page that has no network.

use tauri::WebviewWindow;

/// Features by which WebKit speaks to hosts other than by loading something, by the names that
/// WebKit's own list gives them. Each engine knows some of them; what it does not know, it does
/// not do.
#[cfg(any(target_os = "linux", target_os = "macos"))]
const SIDE_DOORS: &[&str] = &[
    // Asks a name server, past the policy and past the proxy.
    "LinkDNSPrefetch",
    // Opens a connection past the policy; the proxy does hold it.
    "LinkPreconnect",
    "LinkPreconnectEarlyHints",
    // Fetch past the directives that the policy has for pages.
    "LinkPrefetch",
    "SpeculationRulesPrefetch",
    // Speak UDP, which no proxy carries; the first asks a name server for its own server too.
    "PeerConnection",
    "WebTransport",
    // Report to a host that the page names, at a time of the engine's choosing.
    "PrivateClickMeasurement",
    "PushAPI",
    // Sends what is said to a service.
    "SpeechRecognition",
];

/// What WebView2 is started with. Given at all, it takes the place of what wry gives by itself,
/// so this repeats wry's proxy and its features that are off. Chromium's `net/docs/proxy.md`
/// says what the first three do; all four are understood by every WebView2.
///
/// - The proxy that cannot exist carries all that is loaded. Chromium by itself goes past any
///   proxy to the machine's own addresses, hence the list.
/// - No name is looked up, in the machine or elsewhere. A page of the app's needs none: its
///   requests are answered before the network is asked.
/// - WebRTC speaks UDP, and no policy covers it: it may speak by the proxy alone.
pub const WEBVIEW2_ARGUMENTS: &str = concat!(
    "--disable-features=msWebOOUI,msPdfOOUI,msSmartScreenProtection",
    " --proxy-server=http://127.0.0.1:9",
    " --proxy-bypass-list=<-loopback>",
    " --host-resolver-rules=\"MAP * ~NOTFOUND\"",
    " --force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    " --webrtc-ip-handling-policy=disable_non_proxied_udp",
);

/// Closes the side doors of a window's engine. Called in the turn of the main thread that built
/// the window, it comes before any page: WebKit asks that thread for the page, and takes what it
/// hears from it in order.
///
/// # Errors
/// If the window is gone.
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub fn close_side_doors(window: &WebviewWindow) -> tauri::Result<()> {
    window.with_webview(|webview| {
        if let Err(error) = webkit::switch_off(&webview, SIDE_DOORS) {
            tracing::error!(%error, "the web engine may look names up for a page");
        }
    })
}

/// WebView2 has been told already, by [`WEBVIEW2_ARGUMENTS`].
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub fn close_side_doors(_: &WebviewWindow) -> tauri::Result<()> {
    Ok(())
}

#[cfg(target_os = "linux")]
#[path = "webkitgtk.rs"]
mod webkit;

#[cfg(target_os = "macos")]
#[path = "wkwebview.rs"]
mod webkit;
