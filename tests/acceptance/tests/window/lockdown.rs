//! Which parts of the shell a page can reach: the commands that its capabilities name, and no more.

use std::net::{IpAddr, Ipv4Addr};

use serde_json::{Value, json};
use vestibule_acceptance::{App, DEMO, DEMO_NAME, OtherServer, Role, scenario};

use crate::signed_in;

/// Commands that a page may not call, with arguments that would do harm.
fn undeclared() -> Vec<(&'static str, Value)> {
    let window = json!({ "label": "main" });
    vec![
        (
            "plugin:event|emit",
            json!({ "event": "session-changed", "payload": {} }),
        ),
        (
            "plugin:event|emit_to",
            json!({ "target": { "kind": "Any" }, "event": "session-changed", "payload": {} }),
        ),
        (
            "plugin:window|create",
            json!({ "options": { "label": "window-x" } }),
        ),
        (
            "plugin:webview|create_webview_window",
            json!({ "options": { "label": "window-x", "url": "https://evil.example" } }),
        ),
        ("plugin:webview|internal_toggle_devtools", json!({})),
        ("plugin:webview|clear_all_browsing_data", json!({})),
        ("plugin:window|get_all_windows", json!({})),
        ("plugin:window|close", window.clone()),
        ("plugin:window|destroy", window.clone()),
        ("plugin:window|hide", window),
        (
            "plugin:window|set_title",
            json!({ "label": "main", "value": "Your bank" }),
        ),
        ("plugin:app|version", json!({})),
        ("plugin:path|resolve_directory", json!({ "directory": 21 })),
        ("plugin:resources|close", json!({ "rid": 0 })),
        (
            "plugin:menu|new",
            json!({ "kind": "Menu", "handler": null }),
        ),
        ("plugin:tray|new", json!({ "options": {} })),
        ("plugin:image|from_path", json!({ "path": "/etc/passwd" })),
        ("plugin:store|load", json!({ "path": "preferences.json" })),
        (
            "plugin:store|set",
            json!({ "rid": 0, "key": "theme", "value": "dark" }),
        ),
        (
            "plugin:opener|open_url",
            json!({ "url": "https://evil.example" }),
        ),
        (
            "plugin:opener|open_path",
            json!({ "path": "/usr/bin/xclock" }),
        ),
        (
            "plugin:opener|reveal_item_in_dir",
            json!({ "path": "/etc/passwd" }),
        ),
        ("plugin:window-state|restore_state", json!({})),
        ("plugin:fs|read_file", json!({ "path": "/etc/passwd" })),
        ("plugin:shell|execute", json!({ "program": "true" })),
        ("plugin:process|exit", json!({ "code": 0 })),
        ("plugin:nothing|of_the_kind", json!({})),
        ("no_such_command", json!({})),
    ]
}

/// What the shell answers to a page: `granted`, or why not.
async fn asks(app: &App, command: &str, arguments: Value) -> String {
    let script = "const { command, arguments } = argument;
        done(await window.__TAURI_INTERNALS__.invoke(command, arguments).then(
          () => 'granted', (error) => `refused: ${error?.message ?? error}`));";
    let argument = json!({ "command": command, "arguments": arguments });
    let said = app.run_async(script, argument).await;
    said.as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_page_can_ask_for_nothing_that_is_not_declared() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        let title = app.driver().title().await.expect("a title");
        for declared in ["plugin:vestibule|app_info", "plugin:vestibule|theme"] {
            assert_eq!(asks(&app, declared, json!({})).await, "granted");
        }
        for (command, arguments) in undeclared() {
            let said = asks(&app, command, arguments).await;
            let refused = said.starts_with("refused: ")
                && (said.contains("not allowed") || said.contains("not found"));
            assert!(refused, "{command}: {said}");
        }
        let windows = app.driver().windows().await.expect("windows");
        assert_eq!(windows.len(), 1, "no other window");
        assert_eq!(app.driver().title().await.expect("a title"), title);
    });
}

/// The only plugin that pages may use reaches only what its capability lists.
#[test]
fn public_content_is_fetched_from_nowhere_else() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        // The build for tests may reach each port of 127.0.0.1 itself (`capabilities-e2e`).
        let other_server = OtherServer::at(IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2))).await;
        let port = other_server.port();
        let backend = stage.backend.url();
        let ask =
            |url: String| json!({ "clientConfig": { "method": "GET", "url": url, "headers": [] } });
        let public = ask(format!("{backend}/public/news"));
        assert_eq!(asks(&app, "plugin:http|fetch", public).await, "granted");
        for url in [
            format!("http://127.0.0.2:{port}/public/news"),
            format!("http://localhost:{port}/public/news"),
            format!("{backend}/me"),
            format!("{backend}/public/../me"),
            format!("{backend}@127.0.0.2:{port}/public/news"),
        ] {
            let said = asks(&app, "plugin:http|fetch", ask(url.clone())).await;
            assert!(said.starts_with("refused: "), "{url}: {said}");
        }
        assert_eq!(other_server.heard(), (0, 0));
        other_server.would_have_heard().await;
    });
}

/// The bounds of macOS and Windows, which replace the page's functions. WebKit has the same functions
/// here as on macOS.
#[test]
fn the_functions_of_a_page_are_bounded_where_they_are_replaced() {
    scenario(async |stage| {
        let given = [("VESTIBULE_E2E_PAGE_WAYS", "1".to_owned())];
        let app = stage.start_with(&given).await;
        let answers = app
            .run_async(
                "const text = 'x'.repeat(3_000_000);
                 const frame = document.body.appendChild(document.createElement('iframe'));
                 const post = (from, address) => from.fetch(address, { method: 'POST', body: text });
                 const asked = (XMLHttpRequest) => new Promise((resolve) => {
                   const request = new XMLHttpRequest();
                   request.onload = resolve;
                   request.open('POST', '/');
                   request.send(text);
                 });
                 const ways = {
                   fetch: () => post(window, 'ipc://localhost/plugin%3Avestibule%7Ctheme'),
                   pages: () => post(window, '/'),
                   handler: () => webkit.messageHandlers.ipc.postMessage(text),
                   xhr: () => asked(XMLHttpRequest),
                   beacon: () => navigator.sendBeacon('/', text) || Promise.reject('nothing'),
                   streams: () => new EventSource('/'),
                   'fetch in a frame': () => post(frame.contentWindow, 'ipc://localhost/plugin%3Avestibule%7Ctheme'),
                   'handler in a frame': () =>
                     frame.contentWindow.webkit.messageHandlers.ipc.postMessage(text),
                   'xhr in a frame': () => asked(frame.contentWindow.XMLHttpRequest),
                 };
                 const passed = [];
                 for (const [way, ask] of Object.entries(ways)) {
                   try {
                     const answer = await ask();
                     const said = answer instanceof Response && await answer.json();
                     if (said?.status !== 413) passed.push(way);
                   } catch {}
                 }
                 // What is not too large arrives, also by the handler.
                 const theme = await window.__TAURI_INTERNALS__.invoke('plugin:vestibule|theme');
                 webkit.messageHandlers.ipc.postMessage('{}');
                 done({ passed, theme });",
                json!({}),
            )
            .await;
        assert_eq!(answers, json!({ "passed": [], "theme": "system" }));
    });
}

/// The shell answers only pages in which its own script ran: it gave them a key.
#[test]
fn a_call_without_the_key_is_not_heard() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        let answers = app
            .run_async(
                "const call = (key, from = window) => from.fetch('ipc://localhost/plugin%3Avestibule%7Cnew_window', {
                   method: 'POST', body: '{}',
                   headers: { 'Content-Type': 'application/json', 'Tauri-Callback': '1',
                     'Tauri-Error': '2', ...(key && { 'Tauri-Invoke-Key': key }) },
                 }).then((answer) => answer.headers.get('Tauri-Response'), () => 'failed');
                 const frame = document.body.appendChild(document.createElement('iframe'));
                 const forged = [call(), call('x'), call(undefined, frame.contentWindow)];
                 try {
                   window.ipc.postMessage(JSON.stringify({ cmd: 'plugin:vestibule|new_window', callback: 1,
                     error: 2, payload: {}, options: {}, __TAURI_INVOKE_KEY__: 'x' }));
                 } catch {
                   // Where the page has no handler of messages, nothing is sent.
                 }
                 // Later requests are answered later, so the earlier ones have been handled.
                 const later = await window.__TAURI_INTERNALS__.invoke('plugin:vestibule|theme');
                 const unheard = new Promise((resolve) => setTimeout(resolve, 500, 'unheard'));
                 const answers = await Promise.all(
                   forged.map((answer) => Promise.race([answer, unheard])));
                 done({ answers, later: typeof later,
                   frame: typeof frame.contentWindow.__TAURI_INTERNALS__ });",
                json!({}),
            )
            .await;
        assert_eq!(answers["later"], "string", "{answers}");
        assert_eq!(answers["frame"], "undefined", "a frame has no shell");
        for answer in answers["answers"].as_array().expect("answers") {
            assert_ne!(answer, "ok", "{answers}");
        }
        let windows = app.driver().windows().await.expect("windows");
        assert_eq!(windows.len(), 1, "no window was opened");
        let said = asks(&app, "plugin:vestibule|new_window", json!({})).await;
        assert_eq!(said, "granted", "with the key the call is granted");
    });
}

/// A page cannot replace the shell's functions or change a prototype.
#[test]
fn the_shell_in_the_page_is_fixed() {
    scenario(async |stage| {
        let app = stage.start().await;
        let seen = app
            .run(
                "const fixed = (object, name) => {
                   const { writable, configurable } = Object.getOwnPropertyDescriptor(object, name);
                   return !writable && !configurable;
                 };
                 const shell = window.__TAURI_INTERNALS__;
                 const merged = JSON.parse('{\"__proto__\": {\"admin\": true}}');
                 for (const key of Object.keys(merged.__proto__)) {
                   try { ({}).__proto__[key] = true; } catch {}
                 }
                 return {
                   global: typeof window.__TAURI__,
                   replaceable: Object.getOwnPropertyNames(shell)
                     .filter((name) => !fixed(shell, name) && name !== 'plugins'),
                   shell: fixed(window, '__TAURI_INTERNALS__'),
                   frozen: Object.isFrozen(Object.prototype),
                   poisoned: ({}).admin === true,
                   rtc: typeof window.RTCPeerConnection,
                   transport: typeof window.WebTransport,
                 };",
            )
            .await;
        assert_eq!(
            seen,
            json!({
                "global": "undefined",
                "replaceable": [],
                "shell": true,
                "frozen": true,
                "poisoned": false,
                // The policy does not cover these; the engine must not have them.
                "rtc": "undefined",
                "transport": "undefined",
            })
        );
    });
}

/// What a page has asked breaks off when it is left. Tauri would then send the command again by a handler
/// that the page does not have, and that would be an error of the page.
#[test]
fn a_page_that_is_left_in_the_midst_of_its_calls_has_no_error() {
    scenario(async |stage| {
        let app = stage.start().await;
        app.find(Role::Link, "Sign in").await;
        for round in 0..12 {
            // The page goes while answers are on their way: some have not begun, some not ended.
            let leave = format!(
                "const {{ invoke }} = window.__TAURI_INTERNALS__;
                 const ask = () => invoke('plugin:vestibule|accounts', {{}}).catch(() => undefined);
                 for (let call = 0; call < 40; call += 1) void ask();
                 setTimeout(() => location.assign('/payment/?round={round}'), {});",
                round % 6
            );
            app.run(&leave).await;
            app.find(Role::Link, "Choose Team").await;
        }
        let record = app.record().await;
        let errors: Vec<_> = record.pages().flat_map(|page| &page.errors).collect();
        assert!(errors.is_empty(), "{errors:?}");
        assert!(record.pages().count() > 12, "each page was recorded");
    });
}
