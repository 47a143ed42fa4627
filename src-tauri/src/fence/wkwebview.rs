//! The features of the WebKit in macOS. It lists and switches them by selectors that Apple has
//! not made public (`_features` and `_setEnabled:forFeature:` of `WKPreferences`), so each is
//! asked for before it is used. Public ones for the same there are none.

use std::ffi::CStr;

use objc2::runtime::{AnyClass, AnyObject, Sel};
use objc2::{msg_send, sel};
use tauri::webview::PlatformWebview;

/// Switches these features off, for this webview.
///
/// # Errors
/// If this system has no such switches; the text names what is missing.
#[allow(unsafe_code)]
pub fn switch_off(webview: &PlatformWebview, features: &[&str]) -> Result<(), String> {
    let class = AnyClass::get(c"WKPreferences").ok_or("there is no class WKPreferences")?;
    // SAFETY: the pointer is that of a living WKWebView, on the main thread. Its configuration is
    // a copy, but shares the preferences with it. `_features` answers an array of objects with
    // a string `key`; both selectors are sent only to what responds to them.
    unsafe {
        let webview: *mut AnyObject = webview.inner().cast();
        let configuration: *mut AnyObject = msg_send![webview, configuration];
        let preferences: *mut AnyObject = msg_send![configuration, preferences];
        let lists: bool = msg_send![class, respondsToSelector: sel!(_features)];
        let switches = sel!(_setEnabled:forFeature:);
        if !lists || !responds(preferences, switches) {
            return Err("this macOS lets nobody switch features of WebKit".into());
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
/// `object` is null or an object.
#[allow(unsafe_code)]
unsafe fn responds(object: *mut AnyObject, selector: Sel) -> bool {
    // SAFETY: as the caller promises; null answers no.
    unsafe { msg_send![object, respondsToSelector: selector] }
}

/// Whether a feature's key is one of these names. Some keys end with `Enabled`.
///
/// # Safety
/// `feature` is an object whose `key` is a string.
#[allow(unsafe_code)]
unsafe fn is_one_of(feature: *mut AnyObject, names: &[&str]) -> bool {
    // SAFETY: as the caller promises; the text lives as long as the string, which the feature
    // holds.
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
