//! Links of the app's scheme, which any page and any program can open: each is one of the known routes or
//! refused, and reads the same again.

use std::sync::LazyLock;

use vestibule_core::deep_links::{LONGEST, Route, Scheme, read};
use vestibule_core::workspaces::address;

static SCHEME: LazyLock<Scheme> =
    LazyLock::new(|| Scheme::parse("com.example.app").expect("a constant"));

/// The input is the link, and also what stands behind the scheme.
pub fn deep_link(data: &[u8]) {
    check(data);
    check(&[b"com.example.app:", data].concat());
}

fn check(link: &[u8]) {
    let Ok(route) = read(link, &SCHEME) else {
        return;
    };
    assert!(link.len() <= LONGEST && link.iter().all(u8::is_ascii_graphic));
    match &route {
        Route::Redirect(address) => {
            assert_eq!(address.scheme(), SCHEME.name());
            assert!(["/callback", "/auth/callback"].contains(&address.path()));
            assert!(!address.has_authority());
            assert_eq!(
                read(address.as_str().as_bytes(), &SCHEME),
                Ok(route.clone())
            );
        }
        Route::Join(workspace) => {
            let origin = workspace.origin();
            assert!(origin.starts_with("https://") || origin.starts_with("http://"));
            assert!(
                origin.bytes().all(|byte| byte.is_ascii_graphic()),
                "{origin}"
            );
            assert_eq!(address::parse(&origin).as_ref(), Ok(workspace));
        }
    }
}
