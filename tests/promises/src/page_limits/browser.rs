//! Sign-ins outside of the app, begun without end: each opens a page of the system's browser, or asks the
//! provider for a code.

use std::time::Instant;

use serde_json::json;
use vestibule_acceptance::{App, Stage, SystemBrowser};
use vestibule_harness::Lost;

use super::Plan;
use super::attacks::{Came, number};
use super::page_script::ask;

/// The provider's endpoint for codes.
const DEVICE: &str = "/oidc/device";
/// How often the browser may be opened in a row, codes counted too.
const IN_A_ROW: u64 = 10;
/// The patient part tries this often at most: more often than the bound, and in less time than a test may
/// take where there is none.
const TRIES: u64 = IN_A_ROW + 4;
/// The page gives up where `retryAfterMs` is longer: waiting each time would take hours.
const LONGEST_WAIT_MS: u64 = 5_000;

/// The page first begins one sign-in after the other and waits for `retryAfterMs` before each; then it
/// begins all at once, with arguments of any size and kind. The `first` time a browser must open.
pub async fn run(
    stage: &Stage,
    app: &App,
    browser: &SystemBrowser,
    plan: Plan,
    first: bool,
) -> Result<Came, Lost> {
    let begun = Instant::now();
    let asks = || browser.opened().len() as u64 + stage.backend.requests("POST", DEVICE) as u64;
    let before = asks();
    let patient = ask(app, PATIENT, json!([TRIES, LONGEST_WAIT_MS])).await?;
    let one_by_one = asks() - before;
    if first && (browser.opened().is_empty() || number(&patient, "pending") == 0) {
        return Err(format!(
            "not even one page of a browser was opened: {patient}"
        ));
    }
    let flood = ask(app, FLOOD, json!(plan.asks)).await?;
    let came = asks() - before;
    let allowed = IN_A_ROW + 1 + begun.elapsed().as_secs() / 60;
    let asked = number(&patient, "tries") + number(&flood, "asked");
    let is_said = patient["words"]
        .as_str()
        .is_none_or(|words| words.contains("times in a row"));
    let holds = came <= allowed
        && is_said
        && flood["alive"] == "string"
        && flood["plans"] == 200
        && flood["silent"] == 0;
    let lost = (!holds).then(|| {
        format!("{one_by_one} one by one, {came} in all where {allowed} may: {patient}, {flood}")
    });
    Ok(Came { asked, lost })
}

/// Begins a sign-in in the browser, waits until its page was opened, gives it up, and begins the next.
const PATIENT: &str = "
    const [most, patience] = argument;
    const state = async () => (await invoke('plugin:vestibule|session')).state;
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    const came = { tries: 0, pending: 0, words: null };
    while (came.pending < most) {
      came.tries += 1;
      let ended = null;
      const input = { button: null, device: came.tries % 3 === 0 };
      const signingIn = invoke('plugin:vestibule|sign_in_by_browser', { input })
        .then(() => 'done', (error) => error)
        .then((end) => { ended = end; });
      let shown;
      do {
        await pause(10);
        const { status, signIn } = await state();
        shown = status === 'browser_pending' && (signIn.opened || signIn.device);
      } while (!shown && !ended);
      if (ended) {
        if (ended.code !== 'busy') throw new Error(JSON.stringify(ended));
        came.words = ended.message;
        if (ended.retryAfterMs > patience) break;
        await pause(ended.retryAfterMs);
        continue;
      }
      came.pending += 1;
      came.words = null;
      await invoke('plugin:vestibule|cancel_browser_sign_in');
      await signingIn;
    }
    done(came);";

/// Everything at once. `silent` counts the refusals that say nothing.
const FLOOD: &str = "
    const large = 'x'.repeat(1_000_000);
    const link = (text) => invoke('plugin:vestibule|open_link', { link: text });
    const begin = (button, device) =>
      invoke('plugin:vestibule|sign_in_by_browser', { input: { button, device } });
    const call = (command) => () => invoke(`plugin:vestibule|${command}`);
    const calls = [
      () => begin(null, false),
      () => begin(null, true),
      () => begin(large, false),
      () => begin('\\ud800', false),
      call('open_browser_again'),
      call('copy_browser_address'),
      call('cancel_browser_sign_in'),
      call('link_notices'),
      () => invoke('plugin:vestibule|take_link_notice', { id: -1 }),
      () => link(large),
      () => link('\\ud800'),
      () => link(`dev.vestibule.desktop:/callback?code=${'c'.repeat(15_000)}&state=\\udfff`),
      () => link(`dev.vestibule.desktop:/join?workspace=https://${'w'.repeat(15_000)}.example`),
    ];
    const asked = [];
    let silent = 0;
    for (let number = 0; number < argument; number += 1) asked.push(...calls.map((call) => call()));
    for (const ended of asked) {
      ended.catch((reason) => { silent += String(reason?.message ?? reason) === '' ? 1 : 0; });
    }
    // Whoever uses the app meanwhile is not held up.
    const request = { path: '/plans', method: 'GET', headers: [], body: null };
    const plans = await invoke('plugin:vestibule|backend_fetch', { exchange: 2 ** 40, request });
    const cancelling = setInterval(call('cancel_browser_sign_in'), 100);
    const came = await count(asked);
    clearInterval(cancelling);
    const alive = typeof await invoke('plugin:vestibule|theme');
    done({ ...came, asked: asked.length, silent, alive, plans: plans.status });";
