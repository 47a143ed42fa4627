//! Large bodies need the memory of a few pieces, in each direction. The memory of this whole process is
//! measured, which contains both ends; so this is its only test. `cargo xtask bench fetch` measures it at a
//! hundred megabytes.
#![cfg(target_os = "linux")]

use vestibule_core::BackendCalls;
use vestibule_core::session::Session;
use vestibule_core::testing::PIECE;
use vestibule_core::wire::{UploadReply, UploadRequest};
use vestibule_harness::*;

const LARGE: usize = 32 << 20;
/// How much memory both ends together may take: the sockets' buffers, and what the allocator keeps
/// for each thread.
const BOUND_KIB: u64 = 8 * 1024;
const WINDOW: &str = "main";

/// The peak memory of this process.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number
        .and_then(|number| number.parse().ok())
        .expect("a peak")
}

async fn down(calls: &BackendCalls, session: &Session, bytes: usize) -> usize {
    let request = get(&format!("/transfer?bytes={bytes}"));
    let reply = calls.fetch(WINDOW, 1, session, request).await;
    assert_eq!(reply.expect("an answer").length, Some(bytes as u64));
    let mut read = 0;
    while read < bytes {
        read += calls.read(WINDOW, 1).await.expect("a piece").len();
    }
    read
}

async fn up(calls: &BackendCalls, session: &Session, bytes: usize, told: bool) -> usize {
    let request = UploadRequest {
        path: "/transfer".into(),
        method: "POST".into(),
        headers: Vec::new(),
        length: told.then_some(bytes as u64),
        replayable: true,
    };
    calls.upload(WINDOW, 2, session, &request).expect("begun");
    let mut left = bytes;
    while left > 0 {
        let piece = vec![7; PIECE.min(left)];
        left -= piece.len();
        let wanted = calls.write(WINDOW, 2, &piece).await;
        assert!(wanted.expect("a place to write to"));
    }
    match calls.answer(WINDOW, 2).await.expect("an answer") {
        UploadReply::Answer { reply } => {
            let answer: serde_json::Value = serde_json::from_str(&reply.body).expect("JSON");
            answer["bytes"].as_u64().expect("a count") as usize
        }
        UploadReply::Again => panic!("the core asks for the body again"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_bodies_take_the_memory_of_a_few_pieces_each_way() {
    let harness = Harness::signed_in().await;
    let session = &harness.session;
    let calls = BackendCalls::default();
    // First without a measurement, so that one-time allocations are not counted.
    for told in [true, false] {
        down(&calls, session, 4 << 20).await;
        up(&calls, session, 4 << 20, told).await;
    }
    let before = peak_kib();
    assert_eq!(down(&calls, session, LARGE).await, LARGE);
    for told in [true, false] {
        assert_eq!(up(&calls, session, LARGE, told).await, LARGE);
    }
    let grown = peak_kib() - before;
    println!("{grown} KiB more for {LARGE} bytes down and twice as many up");
    assert!(grown < BOUND_KIB, "{grown} KiB more");

    // The control: the measurement notices memory that is held.
    let held = vec![1_u8; LARGE];
    assert!(held.iter().all(|byte| *byte == 1));
    assert!(
        peak_kib() - before > 30 * 1024,
        "the control's memory is measured"
    );
}
