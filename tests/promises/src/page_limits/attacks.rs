//! What a script in the window asks for, and the measured effects.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use vestibule_acceptance::{App, Stage, SystemBrowser};
use vestibule_backend::{Effect, Fault};
use vestibule_harness::Lost;

use super::page_script::ask;
use super::{Plan, browser};

const REFRESH: &str = "/refresh-token";
/// A path that the page may call.
const CALLED: &str = "/plans";
const WINDOWS: usize = 10;
const EXPORTS: usize = 100;
/// How many images a page may load at once within the bound. The engine keeps some 40 kB for each in
/// the app's process until the page has it, and nothing in the app can refuse them.
const LOADS: u64 = 500;
#[derive(Clone, Copy, Debug)]
pub enum Attack {
    /// Messages larger than any command accepts, by each way to the shell.
    Messages,
    /// Pieces of one upload: many at once, of the largest size, without waiting.
    Pieces,
    /// Every command that a page can call, many times each.
    Commands,
    /// Calls whose answers are never read.
    Unread,
    /// Refreshes, and calls whose token is always refused.
    Rotations,
    Prompts,
    Exports,
    /// Sign-ins outside of the app, each of which opens a page of the browser or asks for a code.
    BrowserSignIns,
    /// Images and event streams by paths that the app does not know.
    Loads,
    /// Windows. The last attack, since they stay open.
    Windows,
}

/// The effects of an attack.
pub struct Came {
    pub asked: u64,
    pub lost: Option<Lost>,
}

impl Attack {
    pub const ALL: [Self; 10] = [
        Self::Messages,
        Self::Pieces,
        Self::Commands,
        Self::Unread,
        Self::Rotations,
        Self::Prompts,
        Self::Exports,
        Self::BrowserSignIns,
        Self::Loads,
        Self::Windows,
    ];

    /// Runs the attack. The `first` time its controls must have their effect.
    pub async fn play(
        self,
        stage: &Stage,
        app: &App,
        browser: &SystemBrowser,
        plan: Plan,
        first: bool,
    ) -> Result<Came, Lost> {
        match self {
            Self::Messages => messages(app, plan).await,
            Self::Pieces => pieces(stage, app, plan).await,
            Self::Commands => commands(app, plan).await,
            Self::Unread => unread(app, plan).await,
            Self::Rotations => rotations(stage, app, plan, first).await,
            Self::Prompts => prompts(app, plan).await,
            Self::Exports => exports(stage, app, plan).await,
            Self::BrowserSignIns => browser::run(stage, app, browser, plan, first).await,
            Self::Loads => loads(app).await,
            Self::Windows => windows(app).await,
        }
    }
}

pub(super) fn number(came: &Value, name: &str) -> u64 {
    came[name].as_u64().unwrap_or_default()
}

fn came(asked: u64, holds: bool, came: &Value) -> Came {
    let lost = (!holds).then(|| format!("{asked} asked: {came}"));
    Came { asked, lost }
}

/// By a command, by the custom scheme and by postMessage; from the page and from frames that it made:
/// an empty one, and one whose page the policy refuses. In the latter the engine runs no script of
/// the app.
async fn messages(app: &App, plan: Plan) -> Result<Came, Lost> {
    let script = "
        const bytes = () => new Uint8Array(argument);
        const headers = { 'vestibule-exchange': '1' };
        const came = await count([invoke('plugin:vestibule|backend_write', bytes(), { headers })]);
        // The engine makes no JSON of longer texts.
        const text = 'x'.repeat(Math.min(argument, 300_000_000));
        const spoken = await count([invoke('plugin:vestibule|set_theme', { theme: text })]);
        // A quote takes two characters here, and about a hundred bytes where it is parsed.
        const theme = Array.from({ length: 500_000 }, () => 1);
        const listed = await count([invoke('plugin:vestibule|set_theme', { theme })]);
        const frame = document.body.appendChild(document.createElement('iframe'));
        const within = frame.contentWindow;
        // The document of a frame whose page the policy refuses.
        const refused = (name, page) => {
          const frame = document.createElement('iframe');
          frame[name] = page;
          return document.body.appendChild(frame).contentWindow;
        };
        const passed = [];
        const ways = {
          scheme: () => fetch('ipc://localhost/plugin%3Avestibule%7Ctheme', { method: 'POST', body: bytes() }),
          'own scheme': () => fetch('/', { method: 'POST', body: bytes() }),
          'request to the own scheme': () =>
            fetch(new Request('/', { method: 'POST', body: text })),
          headers: () => fetch('ipc://localhost/plugin%3Avestibule%7Ctheme',
            { method: 'POST', body: '{}', headers: { 'x-large': text } }),
          address: () => fetch(`/${text}`),
          request: () => fetch(new Request('ipc://localhost/plugin%3Avestibule%7Ctheme', { method: 'POST', body: text })),
          frame: () => within.fetch('ipc://localhost/plugin%3Avestibule%7Ctheme', { method: 'POST', body: bytes() }),
          event: () => new Promise((resolve) => {
            const id = -1;
            document.addEventListener('vestibule:answer', ({ detail }) => {
              if (detail.id === id) resolve(new Response(detail.response.body));
            });
            const call = {
              address: 'ipc://localhost/plugin%3Avestibule%7Ctheme', method: 'POST', headers: [], body: bytes(),
            };
            const detail = { id, call };
            document.dispatchEvent(new CustomEvent('vestibule:call', { detail }));
          }),
          handler: () => webkit.messageHandlers.ipc.postMessage(text),
          'handler in a frame': () => within.webkit.messageHandlers.ipc.postMessage(text),
          beacon: () => navigator.sendBeacon('ipc://localhost/plugin%3Avestibule%7Ctheme', text)
            ? undefined : Promise.reject(),
          'beacon in a frame': () => within.navigator.sendBeacon('ipc://localhost/plugin%3Avestibule%7Ctheme', text)
            ? undefined : Promise.reject(),
          xhr: () => new Promise((resolve, reject) => {
            const asked = new XMLHttpRequest();
            asked.onload = resolve;
            asked.onerror = reject;
            asked.open('POST', 'ipc://localhost/plugin%3Avestibule%7Ctheme');
            asked.send(text);
          }),
          'xhr in a frame': () => new Promise((resolve, reject) => {
            const asked = new within.XMLHttpRequest();
            asked.onload = resolve;
            asked.onerror = reject;
            asked.open('POST', 'ipc://localhost/plugin%3Avestibule%7Ctheme');
            asked.send(text);
          }),
        };
        for (const [name, page] of [['srcdoc', '<p>refused</p>'], ['src', 'data:text/html,x']]) {
          const post = (address) =>
            refused(name, page).fetch(address, { method: 'POST', body: bytes() });
          Object.assign(ways, {
            [`refused ${name}`]: () => post('ipc://localhost/plugin%3Avestibule%7Ctheme'),
            [`own scheme in a refused ${name}`]: () => post('tauri://localhost/'),
            [`handler in a refused ${name}`]: () =>
              refused(name, page).webkit.messageHandlers.ipc.postMessage(text),
            [`xhr in a refused ${name}`]: () => new Promise((resolve, reject) => {
              const asked = new (refused(name, page).XMLHttpRequest)();
              asked.onload = resolve;
              asked.onerror = reject;
              asked.open('POST', 'tauri://localhost/');
              asked.send(text);
            }),
          });
        }
        for (const [way, ask] of Object.entries(ways)) {
          try {
            // Some ways answer nothing where they do not exist.
            const nothing = new Promise((resolve) => setTimeout(resolve, 3000, 'nothing'));
            const answer = await Promise.race([ask(), nothing]);
            if (answer === 'nothing') continue;
            const said = answer instanceof Response && await answer.json().catch(() => null);
            if (said?.status !== 413) passed.push(way);
          } catch {}
        }
        for (const frame of document.querySelectorAll('iframe')) frame.remove();
        const alive = typeof await invoke('plugin:vestibule|theme');
        done({ came, spoken, listed, passed, alive, asked: Object.keys(ways).length + 3 });";
    let answer = ask(app, script, json!(plan.large)).await?;
    let refused = |name: &str| number(&answer[name], "refused") == 1;
    let none_passed = answer["passed"].as_array().is_some_and(Vec::is_empty);
    let all_refused = ["came", "spoken", "listed"].into_iter().all(refused);
    let holds = all_refused && none_passed && answer["alive"] == "string";
    Ok(came(number(&answer, "asked"), holds, &answer))
}

/// A piece is refused when it arrives before the one ahead of it was taken. The backend reads nothing of the
/// upload, so that one stays.
async fn pieces(stage: &Stage, app: &App, plan: Plan) -> Result<Came, Lost> {
    let silent = Fault::on("POST", "/transfer", Effect::Hang {}).before();
    let silent = stage.backend.faults().add(silent);
    let script = "
        const exchange = 7 * 2 ** 20 + Math.floor(Math.random() * 2 ** 20);
        const headers = { 'vestibule-exchange': String(exchange) };
        const upload = () => invoke('plugin:vestibule|backend_upload', { exchange, request: {
          path: '/transfer', method: 'POST', length: null, replayable: false,
          headers: [['content-type', 'application/octet-stream']],
        } });
        await upload();
        const piece = new Uint8Array(256 * 1024);
        const asked = Array.from({ length: argument },
          () => invoke('plugin:vestibule|backend_write', piece, { headers }));
        const counted = count(asked);
        const refused = new Promise((resolve) => {
          for (const one of asked) one.catch(resolve);
        });
        await Promise.race([counted, refused]);
        // What still waits ends with the upload.
        await invoke('plugin:vestibule|backend_cancel', { exchange });
        done(await counted);";
    let answer = ask(app, script, json!(plan.asks)).await;
    stage.backend.faults().remove(silent);
    let answer = answer?;
    let refused = number(&answer, "refused") + number(&answer, "other");
    Ok(came(plan.asks, refused > 0, &answer))
}

async fn commands(app: &App, plan: Plan) -> Result<Came, Lost> {
    let script = "
        const filler = 'x'.repeat(50_000);
        const input = { email: 'nobody@vestibule.test', password: filler };
        const get = { path: '/me', method: 'GET', headers: [], body: filler };
        const kinds = {
          session: {}, cancel_otp: {}, app_info: {}, theme: {}, window_ready: {},
          set_theme: { theme: 'system' }, set_reports: { on: false },
          sessions: {}, end_session: { id: crypto.randomUUID() }, end_other_sessions: {},
          send_otp: {}, verify_otp: { input: { challenge: crypto.randomUUID(), code: '000000' } },
          register: { input: { ...input, name: filler, email: 'no address' } },
          backend_fetch: { exchange: 1, request: { ...get, path: '/refused' } },
          backend_upload: { exchange: 2, request: { ...get, length: 1, replayable: false } },
          backend_answer: { exchange: 3 }, backend_read: { exchange: 3 },
          backend_cancel: { exchange: 3 },
          cancel_browser_sign_in: {}, link_notices: {}, take_link_notice: { id: 1 },
          open_link: { link: filler }, copy_browser_address: {},
          accounts: {}, remember_account: { on: false },
          switch_account: { account: crypto.randomUUID() },
          remove_account: { account: crypto.randomUUID() },
          add_account: { workspace: filler }, remove_workspace: { workspace: filler },
          look_at_workspace: { address: filler }, add_workspace: { address: filler },
        };
        const asked = Object.entries(kinds).flatMap(([command, given]) =>
          Array.from({ length: argument }, () => invoke(`plugin:vestibule|${command}`, { ...given, filler })));
        const came = await count(asked);
        done({ ...came, asked: asked.length, alive: typeof await invoke('plugin:vestibule|theme') });";
    let answer = ask(app, script, json!(plan.asks)).await?;
    let asked = number(&answer, "asked");
    let clear = answer["words"].as_array().is_some_and(|words| {
        words
            .iter()
            .all(|words| words.as_str().is_some_and(|words| words.contains('`')))
    });
    let holds = answer["alive"] == "string" && clear;
    Ok(came(asked, holds, &answer))
}

/// The answers have a megabyte each, which is held until it is read.
async fn unread(app: &App, plan: Plan) -> Result<Came, Lost> {
    let script = "
        const page = Math.floor(Math.random() * 2 ** 32);
        const asks = Math.min(argument, 1000);
        const asked = Array.from({ length: asks }, (_, index) => invoke('plugin:vestibule|backend_fetch', {
          exchange: page * 2 ** 20 + index,
          request: { path: '/transfer?bytes=1000000', method: 'GET', headers: [], body: null },
        }));
        done({ ...(await count(asked)), asked: asks, alive: typeof await invoke('plugin:vestibule|theme') });";
    let answer = ask(app, script, json!(plan.asks)).await?;
    let holds = answer["alive"] == "string" && number(&answer, "done") > 0;
    Ok(came(number(&answer, "asked"), holds, &answer))
}

async fn rotations(stage: &Stage, app: &App, plan: Plan, first: bool) -> Result<Came, Lost> {
    let heard = || stage.backend.requests("POST", REFRESH) as u64;
    let before = heard();
    let begun = Instant::now();
    let refusal = Effect::Status {
        status: 401,
        code: None,
        message: None,
        body: Some(json!({})),
        headers: Default::default(),
    };
    let faults = stage.backend.faults();
    faults.add(Fault::on("GET", CALLED, refusal));
    let script = "
        const page = Math.floor(Math.random() * 2 ** 32);
        const came = { done: 0, refused: 0, other: 0 };
        const half = argument.asks / 2;
        for (let batch = 0; batch < 2; batch += 1) {
          const asked = Array.from({ length: half }, (_, index) => index % 2
            ? invoke('plugin:vestibule|refresh')
            : invoke('plugin:vestibule|backend_fetch', {
              exchange: page * 2 ** 20 + batch * half + index,
              request: { path: argument.path, method: 'GET', headers: [], body: null },
            }));
          const { done, refused, other } = await count(asked);
          came.done += done;
          came.refused += refused;
          came.other += other;
        }
        done(came);";
    let argument = json!({ "asks": plan.asks, "path": CALLED });
    let answer = ask(app, script, argument).await?;
    faults.clear();
    let refreshes = heard() - before;
    // The timer refreshes too, but rarely.
    let allowed = 1 + begun.elapsed().as_secs() / Duration::from_secs(5).as_secs();
    if first && refreshes == 0 {
        return Err("not even one refresh by a page arrived".into());
    }
    let lost = (refreshes > allowed)
        .then(|| format!("{refreshes} refreshes went out where {allowed} may: {answer}"));
    let asked = plan.asks;
    Ok(Came { asked, lost })
}

async fn prompts(app: &App, plan: Plan) -> Result<Came, Lost> {
    let script = "
        const begun = performance.now();
        const asked = (command) =>
          count(Array.from({ length: argument }, () => invoke(`plugin:vestibule|${command}`)));
        const keyring = await asked('unlock_keyring');
        done({ ...keyring, seconds: (performance.now() - begun) / 1000 });";
    let answer = ask(app, script, json!(plan.asks)).await?;
    let seconds = answer["seconds"].as_f64().unwrap_or_default();
    // One export, and one more for each three seconds.
    let holds = number(&answer, "done") as f64 <= 1.0 + seconds / 3.0
        && number(&answer, "done") + number(&answer, "refused") == plan.asks;
    Ok(came(plan.asks, holds, &answer))
}

async fn exports(stage: &Stage, app: &App, plan: Plan) -> Result<Came, Lost> {
    let asks = plan.asks.min(300);
    let script = "
        const came = { done: 0, refused: 0, other: 0 };
        for (let batch = 0; batch < argument / 2; batch += 1) {
          const { done, refused, other } =
            await count([invoke('export_people'), invoke('export_people')]);
          came.done += done;
          came.refused += refused;
          came.other += other;
        }
        done(came);";
    let answer = ask(app, script, json!(asks)).await?;
    let found = files(stage);
    if found == 0 {
        return Err(format!("not even one export is found: {answer}"));
    }
    let lost = (found > EXPORTS).then(|| format!("{found} exports: {answer}"));
    Ok(Came { asked: asks, lost })
}

fn files(stage: &Stage) -> usize {
    let mut folders = vec![stage.desktop.home().to_owned()];
    let mut found = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                Ok(_) if name.starts_with("people") => found += 1,
                _ => {}
            }
        }
    }
    found
}

/// Loads of the app's own scheme, which need no script: markup alone makes them.
async fn loads(app: &App) -> Result<Came, Lost> {
    let script = "
        const image = (index) => `<img src='/${index}${'a'.repeat(2000)}'>`;
        const text = Array.from({ length: argument }, (_, index) => image(index)).join('');
        const box = document.body.appendChild(document.createElement('div'));
        box.innerHTML = text;
        const ended = (image) => new Promise((resolve) => {
          image.onload = () => resolve('loaded');
          image.onerror = () => resolve('failed');
        });
        const ends = await Promise.all(Array.from(box.children, ended));
        box.remove();
        const failed = ends.filter((end) => end === 'failed').length;
        // Where there are event streams, the policy forbids them.
        const streams = typeof EventSource === 'undefined' ? [] : ['ipc://localhost/plugin%3Avestibule%7Ctheme', '/'];
        const connected = await Promise.all(streams.map((address) => new Promise((resolve) => {
          let stream;
          try {
            stream = new EventSource(address);
          } catch {
            return resolve(false);
          }
          stream.onopen = () => resolve(true);
          stream.onerror = () => resolve(false);
        })));
        const open = connected.filter(Boolean).length;
        done({ failed, open, alive: typeof await invoke('plugin:vestibule|theme') });";
    let asks = LOADS;
    let answer = ask(app, script, json!(asks)).await?;
    let holds =
        answer["alive"] == "string" && answer["open"] == 0 && number(&answer, "failed") == asks;
    Ok(came(asks, holds, &answer))
}

async fn windows(app: &App) -> Result<Came, Lost> {
    let asks = 30;
    let script = "
        const came = { done: 0, refused: 0, other: 0, words: [] };
        for (let index = 0; index < argument; index += 1) {
          const { done, refused, other, words } =
            await count([invoke('plugin:vestibule|new_window'), invoke('plugin:vestibule|new_window')]);
          came.done += done;
          came.refused += refused;
          came.other += other;
          came.words = words;
        }
        done(came);";
    let answer = ask(app, script, json!(asks / 2)).await?;
    let windows = app.driver().windows().await;
    let windows = windows.map_err(|error| error.to_string())?.len();
    let lost = (windows != WINDOWS).then(|| format!("there are {windows} windows: {answer}"));
    Ok(Came { asked: asks, lost })
}
