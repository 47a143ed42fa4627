//! Large bodies in the real window: complete, in pieces, with progress, and cancelled.

use std::path::Path;

use serde_json::json;
use vestibule_acceptance::{App, DEMO, DEMO_NAME, Role, Stage, containing, scenario};

use crate::signed_in;

async fn settled(stage: &Stage) -> App {
    let app = signed_in(stage, DEMO, DEMO_NAME).await;
    app.find(Role::Heading, "Your session").await;
    app
}

#[test]
fn a_large_body_is_a_stream_that_arrives_whole_and_in_order() {
    scenario(async |stage| {
        let app = settled(stage).await;
        let seen = app
            .with_auth(
                "const answer = await auth.fetch(`/transfer?bytes=${argument}`);
                 const progress = [];
                 const response = auth.counted(answer, (now) => progress.push(now));
                 const reader = response.body.getReader();
                 const bytes = new Uint8Array(argument);
                 let [at, pieces] = [0, 0];
                 for (;;) {
                   const { done, value } = await reader.read();
                   if (done) break;
                   bytes.set(value, at);
                   at += value.byteLength;
                   pieces += 1;
                 }
                 const numbers = new Uint32Array(bytes.buffer);
                 const wrong = numbers.findIndex((number, place) => number !== place);
                 const grows = progress.every(({ received }, index) =>
                   index === 0 || received > progress[index - 1].received);
                 const end = progress.at(-1);
                 // A piece has a megabyte at most.
                 return { at, wrong, grows, end, pieces: pieces > 8 };",
                json!(9_000_000),
            )
            .await;
        let end = json!({ "received": 9_000_000, "total": 9_000_000 });
        let whole = json!({
            "at": 9_000_000, "wrong": -1, "grows": true, "end": end, "pieces": true,
        });
        assert_eq!(seen, whole);
        let read = app
            .with_auth(
                "const response = await auth.fetch('/transfer?bytes=1000000');
                 return (await response.arrayBuffer()).byteLength;",
                json!(null),
            )
            .await;
        assert_eq!(read, 1_000_000);
    });
}

#[test]
fn every_kind_of_body_goes_out_whole_with_progress() {
    scenario(async |stage| {
        let app = settled(stage).await;
        // The token expires before the first upload: a body that can be sent again is sent again.
        stage.backend.expire_access_tokens();
        let sent = app
            .with_auth(
                "const bytes = new Uint8Array(argument);
                 for (let at = 0; at < argument; at += 65536)
                   crypto.getRandomValues(bytes.subarray(at, at + 65536));
                 const digest = await crypto.subtle.digest('SHA-256', bytes);
                 const hex = [...new Uint8Array(digest)]
                   .map((byte) => byte.toString(16).padStart(2, '0')).join('');
                 const stream = () => {
                   let at = 0;
                   return new ReadableStream({
                     pull(controller) {
                       if (at >= argument) return controller.close();
                       controller.enqueue(bytes.slice(at, at += 100_000));
                     },
                   });
                 };
                 const seen = [];
                 for (const [kind, body] of Object.entries({
                   blob: new Blob([bytes]), bytes, buffer: bytes.buffer, stream: stream(),
                 })) {
                   const progress = [];
                   const response = await auth.fetch('/transfer', {
                     method: 'POST', body,
                     headers: { 'content-type': 'application/octet-stream' },
                     onUploadProgress: ({ sent }) => progress.push(sent),
                   });
                   const taken = await response.json();
                   const last = progress.at(-1);
                   const whole = taken.bytes === argument && taken.sha256 === hex;
                   seen.push([kind, response.status, whole, last === argument]);
                 }
                 return seen;",
                json!(3_000_000),
            )
            .await;
        let kinds = ["blob", "bytes", "buffer", "stream"];
        let whole = kinds.map(|kind| json!([kind, 200, true, true]));
        assert_eq!(sent, json!(whole));
        assert_eq!(stage.backend.requests("POST", "/refresh-token"), 1);

        let form = app
            .with_auth(
                "const body = new FormData();
                 body.set('name', 'Dana');
                 body.set('file', new File(['contents'], 'a.txt', { type: 'text/plain' }));
                 const form = await auth.fetch('/transfer', { method: 'POST', body });
                 return form.status;",
                json!(null),
            )
            .await;
        assert_eq!(form, 200);
        let sent = stage
            .backend
            .last_request("POST", "/transfer")
            .expect("one");
        let kind = sent.header("content-type").unwrap_or_default();
        assert!(kind.starts_with("multipart/form-data; boundary="), "{kind}");
    });
}

#[test]
fn a_transfer_ends_with_its_signal_either_way() {
    scenario(async |stage| {
        let app = settled(stage).await;
        let ended = app
            .with_auth(
                "const name = (promise) => promise.then(() => 'done', (error) => error.name);
                 const down = new AbortController();
                 const response =
                   await auth.fetch('/transfer?bytes=100000000', { signal: down.signal });
                 const reader = response.body.getReader();
                 await reader.read();
                 down.abort();
                 const read = await name(reader.read());
                 const up = new AbortController();
                 const sent = await name(auth.fetch('/transfer', {
                   method: 'POST', body: new Blob([new Uint8Array(50_000_000)]),
                   signal: up.signal,
                   onUploadProgress: ({ sent }) => { if (sent > 1_000_000) up.abort(); },
                 }));
                 const next = await auth.fetch('/transfer?bytes=400000');
                 return [read, sent, (await next.arrayBuffer()).byteLength];",
                json!(null),
            )
            .await;
        assert_eq!(ended, json!(["AbortError", "AbortError", 400_000]));
        let record = app.record().await;
        assert_eq!(
            record.answers("backend_cancel").count(),
            2,
            "the shell was told to cancel both"
        );
    });
}

/// A hundred megabytes down and up, by the screen that offers it. The app's memory must not grow
/// with the amount of data.
#[test]
fn a_hundred_megabytes_each_way_stay_out_of_memory() {
    scenario(async |stage| {
        let app = settled(stage).await;
        app.open("/account/").await;
        // A first, unmeasured test, so that one-time allocations are not counted.
        app.click(Role::Button, "Test connection").await;
        app.says("Upload").await;
        let before = peak_kib(stage, &vestibule_acceptance::app());
        app.click(Role::Radio, "Thorough").await;
        app.click(Role::Button, "Test connection").await;
        app.find(Role::Button, "Cancel the test").await;
        stage.backend.reached("GET", "/transfer", 2).await;
        stage.backend.reached("POST", "/transfer", 2).await;
        app.says("Upload").await;
        let grown = peak_kib(stage, &vestibule_acceptance::app()) - before;
        println!("{grown} KiB more in the app for 100 MB down and 100 MB up");
        assert!(grown < 32 * 1024, "{grown} KiB more");

        app.click(Role::Button, "Test connection").await;
        app.click(Role::Button, "Cancel the test").await;
        app.says("The test was stopped").await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
    });
}

/// The peak memory of the process that runs this program.
fn peak_kib(stage: &Stage, program: &Path) -> u64 {
    let [process] = stage.desktop.processes(program)[..] else {
        panic!("there is not exactly one process of {}", program.display());
    };
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).expect("a status");
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1));
    number
        .and_then(|number| number.parse().ok())
        .expect("a peak")
}
