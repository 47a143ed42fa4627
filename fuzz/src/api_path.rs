//! Paths that the window calls: every accepted path stays under the base address and on the list of
//! allowed paths, also for a server that decodes once more than it should.

use vestibule_core::profile::Profile;
use vestibule_core::testing::refuse_api_path;

const BASES: [&str; 3] = [
    "https://api.vestibule.test",
    "https://api.vestibule.test/v1",
    "http://127.0.0.1:4580/a/b/",
];

/// The input is the path.
pub fn api_path(data: &[u8]) {
    let Ok(path) = std::str::from_utf8(data) else {
        return;
    };
    for base in BASES {
        let profile = Profile::default().with_backend(base).expect("a constant");
        let allow = &profile.api.allow;
        if refuse_api_path("GET", path, &profile).is_err() {
            continue;
        }
        let url = profile.url(path);
        assert_eq!(url.origin(), profile.backend.origin(), "elsewhere: {url}");
        assert!(url.username().is_empty() && url.password().is_none());
        assert_eq!(url.fragment(), None);
        let root = profile.backend.path().trim_end_matches('/');
        let below = url.path().strip_prefix(root);
        let below = below.expect("under the base").strip_prefix('/');
        let below = below.expect("under the base, followed by a slash");
        let segments: Vec<String> = below.split('/').map(decoded).collect();
        for segment in &segments {
            // Some servers remove what follows a semicolon before they match the path.
            let name = segment.split(';').next().unwrap_or_default();
            assert!(!matches!(name, "" | "." | ".."), "leads elsewhere: {url}");
            let strange = |c: char| c.is_control() || matches!(c, '/' | '\\');
            assert!(
                !segment.contains(strange),
                "a segment decodes to more than a name: {url}"
            );
        }
        // What has a method before it is not for a GET.
        let mut patterns = allow.iter().filter(|entry| entry.starts_with('/'));
        let listed = patterns.any(|pattern| {
            let wanted: Vec<&str> = pattern.trim_start_matches('/').split('/').collect();
            wanted.len() == segments.len()
                && wanted
                    .iter()
                    .zip(&segments)
                    .all(|(w, s)| *w == "*" || w == s)
        });
        assert!(listed, "not on the list: {url}");
    }
}

/// Decodes percent-encoding until nothing changes, as a proxy and a server in a row can do.
fn decoded(segment: &str) -> String {
    let mut text = segment.to_owned();
    loop {
        let once = decoded_once(&text);
        if once == text {
            return text;
        }
        text = once;
    }
}

fn decoded_once(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = |byte: &u8| char::from(*byte).to_digit(16);
        match (first, after) {
            (b'%', [high, low, after @ ..]) if hex(high).is_some() && hex(low).is_some() => {
                let value = hex(high).unwrap_or(0) * 16 + hex(low).unwrap_or(0);
                bytes.push(value as u8);
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).expect("decoding gives UTF-8")
}
