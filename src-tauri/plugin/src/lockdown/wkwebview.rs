//! Switches features of the WebKit in macOS off. Apple has no public selectors for that. This uses
//! the private `_features` and `_setEnabled:forFeature:` of `WKPreferences`, and asks whether each
//! exists before it calls it.

use std::ffi::CStr;

use objc2::runtime::{AnyClass, AnyObject, Sel};
use objc2::{msg_send, sel};
use tauri::webview::PlatformWebview;

/// Switches these features off in a webview.
///
/// # Errors
/// If this system cannot switch features off; the text names what is missing.
#[allow(unsafe_code)]
pub fn switch_off(webview: &PlatformWebview, features: &[&str]) -> Result<(), String> {
    let class = AnyClass::get(c"WKPreferences").ok_or("there is no class WKPreferences")?;
    // SAFETY: the pointer is to a live WKWebView, and this is the main thread. The configuration is
    // a copy, but shares its preferences with the webview. `_features` returns an array of objects
    // with a string `key`. Both selectors are sent only to objects that respond to them.
    unsafe {
        let webview: *mut AnyObject = webview.inner().cast();
        let configuration: *mut AnyObject = msg_send![webview, configuration];
        let preferences: *mut AnyObject = msg_send![configuration, preferences];
        let lists: bool = msg_send![class, respondsToSelector: sel!(_features)];
        let switches = sel!(_setEnabled:forFeature:);
        if !lists || !responds(preferences, switches) {
            return Err("this macOS does not let an app switch features of WebKit".into());
        }
        let all: *mut AnyObject = msg_send![class, _features];
        let count: usize = msg_send![all, count];
        for position in 0..count {
            let feature: *mut AnyObject = msg_send![all, objectAtIndex: position];
            if responds(feature, sel!(key)) && is_one_of(feature, features) {
                let () = msg_send![preferences, _setEnabled: false, forFeature: feature];
            }
        }
    }
    Ok(())
}

/// # Safety
/// `object` must be null or an object.
#[allow(unsafe_code)]
unsafe fn responds(object: *mut AnyObject, selector: Sel) -> bool {
    // SAFETY: the caller promises that this is null or an object; null responds to nothing.
    unsafe { msg_send![object, respondsToSelector: selector] }
}

/// Whether a feature's key is one of these names. Some keys end with `Enabled`.
///
/// # Safety
/// `feature` must be an object whose `key` is a string.
#[allow(unsafe_code)]
unsafe fn is_one_of(feature: *mut AnyObject, names: &[&str]) -> bool {
    // SAFETY: the caller promises that `key` is a string. The text lives as long as that string,
    // which the feature keeps.
    let key = unsafe {
        let key: *mut AnyObject = msg_send![feature, key];
        let text: *const std::ffi::c_char = msg_send![key, UTF8String];
        if text.is_null() {
            return false;
        }
        CStr::from_ptr(text).to_string_lossy()
    };
    let key = key.strip_suffix("Enabled").unwrap_or(&key);
    names.contains(&key)
}
