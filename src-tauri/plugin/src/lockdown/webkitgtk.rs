//! Switches features of WebKitGTK off. The functions for that exist from version 2.42 on, but the
//! bindings end at 2.40. They are looked up while the app runs, so that the app also starts with an
//! older library.

use std::ffi::{CStr, c_char, c_int, c_void};

use tauri::webview::PlatformWebview;
use webkit2gtk::glib::object::ObjectType as _;
use webkit2gtk::{SettingsExt as _, WebViewExt};

/// Switches these features off in a webview.
///
/// # Errors
/// If the library cannot switch features off; the text names the missing function.
#[allow(unsafe_code)]
pub fn switch_off(webview: &PlatformWebview, features: &[&str]) -> Result<(), String> {
    let settings = WebViewExt::settings(&webview.inner()).ok_or("the webview has no settings")?;
    // Older libraries have this setting instead of the feature `LinkDNSPrefetch`. It is off by
    // default.
    settings.set_enable_dns_prefetching(false);
    let library = Library::loaded()?;
    // SAFETY: the settings live until the end of this function, and a webview is used on the
    // main thread only.
    unsafe { library.switch_off(settings.as_ptr().cast(), features) };
    Ok(())
}

type List = *mut c_void;
type Feature = *mut c_void;

/// WebKit's functions, as `WebKitFeature.h` and `WebKitSettings.h` declare them.
struct Library {
    all: unsafe extern "C" fn() -> List,
    length: unsafe extern "C" fn(List) -> usize,
    get: unsafe extern "C" fn(List, usize) -> Feature,
    forget: unsafe extern "C" fn(List),
    identifier: unsafe extern "C" fn(Feature) -> *const c_char,
    set_enabled: unsafe extern "C" fn(*mut c_void, Feature, c_int),
}

#[allow(unsafe_code)]
impl Library {
    fn loaded() -> Result<Self, String> {
        // SAFETY: each field has the type of the function of that name.
        unsafe {
            Ok(Self {
                all: function(c"webkit_settings_get_all_features")?,
                length: function(c"webkit_feature_list_get_length")?,
                get: function(c"webkit_feature_list_get")?,
                forget: function(c"webkit_feature_list_unref")?,
                identifier: function(c"webkit_feature_get_identifier")?,
                set_enabled: function(c"webkit_settings_set_feature_enabled")?,
            })
        }
    }

    /// # Safety
    /// `settings` must be a `WebKitSettings`, and this must be the main thread.
    unsafe fn switch_off(&self, settings: *mut c_void, features: &[&str]) {
        // SAFETY: a feature lives as long as its list, which is released at the end. An
        // identifier is a zero-terminated text that lives as long as its feature.
        unsafe {
            let list = (self.all)();
            for position in 0..(self.length)(list) {
                let feature = (self.get)(list, position);
                let identifier = CStr::from_ptr((self.identifier)(feature));
                if features
                    .iter()
                    .any(|name| identifier.to_bytes() == name.as_bytes())
                {
                    (self.set_enabled)(settings, feature, 0);
                }
            }
            (self.forget)(list);
        }
    }
}

/// Looks a function up by name in the libraries of this process.
///
/// # Safety
/// `F` must be the function's pointer type.
#[allow(unsafe_code)]
unsafe fn function<F: Copy>(name: &CStr) -> Result<F, String> {
    const { assert!(size_of::<F>() == size_of::<*mut c_void>()) };
    // SAFETY: the name is zero-terminated, and the caller promises that `F` is the right type.
    unsafe {
        let found = libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr());
        match found.is_null() {
            true => Err(format!(
                "this WebKitGTK has no function {}; it needs version 2.42",
                name.to_string_lossy()
            )),
            false => Ok(std::mem::transmute_copy(&found)),
        }
    }
}
