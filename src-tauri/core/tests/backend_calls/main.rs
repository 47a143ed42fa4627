//! Calls of windows: request and response bodies, how they end, and their limits, over sockets.

mod bodies;
mod bounds;
mod cookies;
mod header_bytes;
mod host;
mod kept_connections;
mod limits;
mod new_cookies;
mod pages;
mod redirects;
mod replays;

use std::ops::Deref;
use std::sync::Arc;

use serde_json::{Value, json};
use vestibule_backend::Carrier;
use vestibule_core::profile::Profile;
use vestibule_core::testing::PIECE;
use vestibule_core::wire::{FetchReply, UploadReply, UploadRequest};
use vestibule_core::{AuthError, BackendCalls};
use vestibule_harness::*;

/// The window of most tests.
const WINDOW: &str = "main";

/// A signed-in installation with windows, with a backend that the test chooses.
struct Desk {
    calls: Arc<BackendCalls>,
    installation: Installation,
}

impl Deref for Desk {
    type Target = Installation;

    fn deref(&self) -> &Installation {
        &self.installation
    }
}

impl Desk {
    async fn at(url: &str, change: impl FnOnce(&mut Profile)) -> Self {
        let profile = profile(url, Carrier::Cookie, json!({}));
        let mut profile = profile.expect("a loopback address");
        change(&mut profile);
        let installation = Installation::new(profile).await;
        installation.sign_in(DEMO).await;
        Self {
            calls: Arc::default(),
            installation,
        }
    }

    async fn fetch(&self, number: u64, path: &str) -> Result<FetchReply, AuthError> {
        let request = get(path);
        let fetching = self.calls.fetch(WINDOW, number, &self.session, request);
        fetching.await
    }

    fn upload(&self, number: u64, request: &UploadRequest) -> Result<(), AuthError> {
        let calls = &self.calls;
        calls.upload(WINDOW, number, &self.session, request)
    }

    /// Sends a body as a page does: in pieces, as long as the core wants them.
    async fn give(&self, number: u64, body: &[u8]) {
        for piece in body.chunks(PIECE) {
            let written = self.calls.write(WINDOW, number, piece);
            if !written.await.expect("a place to write to") {
                return;
            }
        }
    }

    async fn answer(&self, number: u64) -> Result<FetchReply, AuthError> {
        match self.calls.answer(WINDOW, number).await? {
            UploadReply::Answer { reply } => Ok(reply),
            UploadReply::Again => panic!("the core asks for the body again"),
        }
    }

    /// Reads a body to its end.
    async fn read(&self, number: u64) -> Result<Vec<u8>, AuthError> {
        let mut body = Vec::new();
        let open = self.calls.count(WINDOW);
        loop {
            let piece = self.calls.read(WINDOW, number).await?;
            // A body with a length ends with its last piece.
            let is_last = piece.is_empty() || self.calls.count(WINDOW) < open;
            body.extend(piece);
            if is_last {
                return Ok(body);
            }
        }
    }
}

fn post(path: &str, length: Option<usize>, replayable: bool) -> UploadRequest {
    UploadRequest {
        path: path.into(),
        method: "POST".into(),
        headers: vec![("content-type".into(), "application/octet-stream".into())],
        length: length.map(|length| length as u64),
        replayable,
    }
}

/// The body that `/transfer` sends.
fn pattern(length: usize) -> Vec<u8> {
    let numbers = (0..length.div_ceil(4)).flat_map(|number| (number as u32).to_le_bytes());
    numbers.take(length).collect()
}

fn json(reply: &FetchReply) -> Value {
    assert_eq!(reply.status, 200, "{}", reply.body);
    serde_json::from_str(&reply.body).expect("JSON")
}
