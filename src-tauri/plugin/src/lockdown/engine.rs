//! Switches off the features of the web engine that reach the network without loading anything.
//!
//! One of them is `<link rel="dns-prefetch">`: the engine asks a name server for the host that it
//! names. No policy of the page covers that and it uses no proxy, so the owner of a domain could
//! read a password from the names that are looked up. Engines have more features of this kind. A
//! page without a network needs none of them.

use tauri::WebviewWindow;

/// The features by which WebKit reaches hosts without loading anything, by their names in WebKit's
/// own list. A version of WebKit that does not know a name does not have that feature.
#[cfg(any(target_os = "linux", target_os = "macos"))]
const SIDE_DOORS: &[&str] = &[
    // Asks a name server and bypasses both the policy and the proxy.
    "LinkDNSPrefetch",
    // Opens a connection and bypasses the policy, but not the proxy.
    "LinkPreconnect",
    "LinkPreconnectEarlyHints",
    // Fetch pages that the policy's directives for pages do not cover.
    "LinkPrefetch",
    "SpeculationRulesPrefetch",
    // Send UDP, which bypasses the proxy. PeerConnection also looks up the name of its server.
    "PeerConnection",
    "WebTransport",
    // Send reports to a host that the page names, at a time that the engine chooses.
    "PrivateClickMeasurement",
    "PushAPI",
    // Sends recorded speech to a service.
    "SpeechRecognition",
];

/// The arguments that WebView2 is started with. They replace the arguments that wry would give, so
/// they repeat wry's proxy and the features that wry switches off. Chromium's `net/docs/proxy.md`
/// describes the proxy, the bypass list and the resolver rules; every WebView2 understands all of
/// these arguments.
///
/// - Everything that is loaded goes through a proxy at which nothing listens. By default Chromium
///   bypasses any proxy for the machine's own addresses, so the bypass list turns that off.
/// - No name is looked up. The app's own pages need no lookup: their requests are answered before
///   the engine uses the network.
/// - WebRTC sends UDP, which no policy covers. It may use the proxy alone.
pub const WEBVIEW2_ARGUMENTS: &str = concat!(
    "--disable-features=msWebOOUI,msPdfOOUI,msSmartScreenProtection",
    " --proxy-server=http://127.0.0.1:9",
    " --proxy-bypass-list=<-loopback>",
    " --host-resolver-rules=\"MAP * ~NOTFOUND\"",
    " --force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    " --webrtc-ip-handling-policy=disable_non_proxied_udp",
);

/// Switches these features off in a window's engine. It must be called in the same turn of the main
/// thread that built the window. Then it takes effect before the first page: WebKit asks the main
/// thread for the page and handles what that thread sends in order.
///
/// # Errors
/// If the window is gone.
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub fn disable_engine_features(window: &WebviewWindow) -> tauri::Result<()> {
    switch_off(window, SIDE_DOORS)
}

/// Switches features off in a window's engine, by their names in WebKit's list, when
/// [`disable_engine_features`] may do it.
///
/// # Errors
/// If the window is gone.
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub fn switch_off(window: &WebviewWindow, features: &'static [&str]) -> tauri::Result<()> {
    window.with_webview(move |webview| {
        if let Err(error) = webkit::switch_off(&webview, features) {
            tracing::error!(%error, "features of the web engine could not be switched off, so a page can do more than it should");
        }
    })
}

/// Does nothing: [`WEBVIEW2_ARGUMENTS`] have switched these features off already.
#[cfg(not(any(target_os = "linux", target_os = "macos")))]
pub fn disable_engine_features(_: &WebviewWindow) -> tauri::Result<()> {
    Ok(())
}

#[cfg(target_os = "linux")]
#[path = "webkitgtk.rs"]
mod webkit;

#[cfg(target_os = "macos")]
#[path = "wkwebview.rs"]
mod webkit;
