//! Searches for tokens in everything that the window, or a person who reads its files, can see.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use thirtyfour::WebDriver;
use vestibule_backend::Backend;

use crate::app::App;
use crate::page::run_async;

/// The endpoints whose requests carry tokens.
const CARRIERS: [(&str, &str); 7] = [
    ("POST", "/refresh-token"),
    ("POST", "/logout"),
    ("POST", "/logout-all"),
    ("GET", "/me"),
    ("GET", "/sessions"),
    ("GET", "/plans/team"),
    ("POST", "/plans/team/purchase"),
];

/// The tokens that the backend has received so far.
#[derive(Debug, Default)]
pub struct Tokens {
    /// Access tokens.
    pub access: BTreeSet<String>,
    /// Refresh tokens.
    pub refresh: BTreeSet<String>,
}

impl Tokens {
    /// Collects them from the requests that the backend recorded.
    #[must_use]
    pub fn shown_to(backend: &Backend) -> Self {
        let mut tokens = Self::default();
        for (method, path) in CARRIERS {
            for request in backend.recent_requests(method, path) {
                let bearer = request.header("authorization");
                let bearer = bearer.and_then(|value| value.strip_prefix("Bearer "));
                tokens.access.extend(bearer.map(str::to_owned));
                let cookie = request.cookie("__refresh_token");
                tokens.refresh.extend(cookie.map(str::to_owned));
            }
        }
        tokens
    }

    /// All tokens of both kinds.
    pub fn all(&self) -> impl Iterator<Item = &str> {
        self.access.iter().chain(&self.refresh).map(String::as_str)
    }
}

/// Everything that the page can read, by the place where it is.
pub struct Reach(BTreeMap<String, String>);

impl Reach {
    /// Collects it: the storages, the cookies, the document, and the recorded answers to every
    /// command and events of every page of this window.
    ///
    /// # Panics
    /// If the page does not answer.
    pub async fn of(app: &App) -> Self {
        Self::of_page(app.driver()).await
    }

    /// Collects the same from any page, in the app or not, but without the recorder's part.
    ///
    /// # Panics
    /// As [`Reach::of`].
    pub async fn of_page(page: &WebDriver) -> Self {
        let dump = run_async(page, DUMP, json!(null)).await;
        let mut places: BTreeMap<String, String> =
            serde_json::from_value(dump.clone()).unwrap_or_else(|_| panic!("a dump, not {dump}"));
        // The driver also sees cookies that scripts do not see.
        let cookies = page.get_all_cookies().await.expect("the cookies");
        places.insert("cookies by WebDriver".into(), format!("{cookies:?}"));
        Self(places)
    }

    /// The places that contain `secret`, raw or in base64.
    #[must_use]
    pub fn holding(&self, secret: &str) -> Vec<&str> {
        let shapes = shapes(secret);
        let holds = |text: &String| shapes.iter().any(|shape| text.contains(shape.as_str()));
        let places = self.0.iter().filter(|(_, text)| holds(text));
        places.map(|(place, _)| place.as_str()).collect()
    }
}

/// The files below `folder` that contain `secret`. The keyring's own files are left out: they are
/// encrypted, and are meant to hold it.
#[must_use]
pub fn files_holding(folder: &Path, secret: &str) -> Vec<String> {
    let shapes = shapes(secret);
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if kind.is_dir() && entry.file_name() != "keyrings" {
                folders.push(path);
            } else if kind.is_file() {
                let bytes = fs::read(&path).unwrap_or_default();
                if shapes
                    .iter()
                    .any(|shape| contains(&bytes, shape.as_bytes()))
                {
                    found.push(path.display().to_string());
                }
            }
        }
    }
    found
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// How a secret can be written: raw; its last part, where it has parts; and in base64 at each of
/// the three alignments, without the ends that depend on its neighbours.
fn shapes(secret: &str) -> Vec<String> {
    let mut shapes = vec![secret.to_owned()];
    if let Some((_, last)) = secret.rsplit_once('.')
        && last.len() >= 16
    {
        shapes.push(last.to_owned());
    }
    for skip in 0..3 {
        let text = base64(&secret.as_bytes()[skip.min(secret.len())..]);
        shapes.push(text[..text.len().saturating_sub(4)].to_owned());
    }
    shapes.retain(|shape| shape.len() >= 12);
    shapes
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let value = chunk
            .iter()
            .fold(0u32, |value, byte| value << 8 | u32::from(*byte));
        let value = value << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            let digit = value >> (18 - 6 * place) & 63;
            text.push(char::from(DIGITS[digit as usize]));
        }
    }
    text
}

const DUMP: &str = "
  // An app with several accounts has no web storage.
  const all = (storage) => JSON.stringify(Object.entries(storage ?? {}));
  const request = (it) => new Promise((resolve, reject) => {
    it.onsuccess = () => resolve(it.result);
    it.onerror = () => reject(it.error);
  });
  const stores = [];
  for (const { name } of (await globalThis.indexedDB?.databases()) ?? []) {
    const base = await request(indexedDB.open(name));
    for (const store of base.objectStoreNames) {
      const rows = base.transaction(store).objectStore(store).getAll();
      stores.push([name, store, await request(rows)]);
    }
    base.close();
  }
  const record = window.vestibuleRecord ?? [];
  done({
    localStorage: all(localStorage),
    sessionStorage: all(sessionStorage),
    IndexedDB: JSON.stringify(stores),
    cookies: document.cookie,
    'the document': document.documentElement.outerHTML,
    'an address': JSON.stringify(record.map(({ address }) => address)),
    'a command\\'s answer': record.flatMap(({ commands }) => commands)
      .map(({ command, answer, headers }) => `${command} ${headers} ${answer}`).join('\\n'),
    'an event': record.flatMap(({ events }) => events).join('\\n'),
  });
";

/// Stores `secret` in every place that a page can write to, to show that [`Reach`] finds it there.
///
/// # Panics
/// If the page cannot store it.
pub async fn plant(app: &App, secret: &str) {
    let planted: Value = app
        .run_async(
            "localStorage.setItem('planted', argument);
             sessionStorage.setItem('planted', btoa(`x${argument}`));
             document.cookie = `planted=${argument}`;
             const opening = indexedDB.open('planted', 1);
             opening.onupgradeneeded = () => opening.result.createObjectStore('s');
             opening.onsuccess = () => {
               const change = opening.result.transaction('s', 'readwrite');
               change.objectStore('s').put({ deep: [argument] }, 1);
               change.oncomplete = () => { opening.result.close(); done(document.cookie); };
             };",
            json!(secret),
        )
        .await;
    assert!(
        planted.is_string(),
        "the page stores the secret in every place: {planted}"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_found_at_every_alignment() {
        assert_eq!(base64(b"Man"), "TWFu");
        assert_eq!(base64(b"Ma"), "TWE");
        let secret = "a-secret-of-some-length";
        for before in ["", "x", "xy", "xyz"] {
            let text = base64(format!("{before}{secret} and more").as_bytes());
            let found = shapes(secret).iter().any(|shape| text.contains(shape));
            assert!(found, "after {before:?}");
        }
    }
}
