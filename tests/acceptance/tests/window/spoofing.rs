//! A page that pretends that the session has changed.

use serde_json::json;
use vestibule_acceptance::{App, DEMO_NAME, Role, containing, scenario_of_one_account};

use crate::windows::{turn_to, two_windows};

/// Sends a signed-out state with a much higher revision: as an event of the shell, by every means
/// of reaching another window, and to the page's own listeners and channels.
const SPOOF: &str = "
    const shell = window.__TAURI_INTERNALS__;
    const told = await shell.invoke('plugin:vestibule|session');
    const { workspace, revision, state: { storage } } = told;
    const payload = { workspace, revision: revision + 1000, cause: 'logout',
      state: { storage, status: 'signed_out', why: 'by_user' } };
    const event = 'session-changed';
    const said = [];
    for (const target of [{ kind: 'Any' }, { kind: 'AnyLabel', label: 'main' },
      { kind: 'WebviewWindow', label: 'main' }]) {
      await shell.invoke('plugin:event|emit_to', { target, event, payload })
        .then(() => said.push('granted'), () => said.push('refused'));
    }
    await shell.invoke('plugin:event|emit', { event, payload })
      .then(() => said.push('granted'), () => said.push('refused'));
    new BroadcastChannel(event).postMessage(payload);
    localStorage.setItem(event, JSON.stringify(payload));
    window.postMessage({ event, payload }, '*');
    window.dispatchEvent(new CustomEvent(event, { detail: payload }));
    for (const id of [...shell.callbacks.keys()]) {
      shell.runCallback(id, { event, id, payload });
      shell.runCallback(id, { index: 0, message: payload });
    }
    done({ said, told });";

#[test]
fn a_page_can_tell_nobody_that_the_session_has_changed() {
    scenario_of_one_account(async |stage| {
        let (app, first, second) = two_windows(stage).await;
        turn_to(&app, &second).await;
        let before = events(&app).await;
        turn_to(&app, &first).await;
        let spoofed = app.run_async(SPOOF, json!({})).await;
        assert_eq!(
            spoofed["said"],
            json!(["refused", "refused", "refused", "refused"])
        );
        assert_eq!(spoofed["told"]["state"]["status"], "signed_in");

        // Code in a page can lie to that page. The shell and other windows ignore it.
        let state = app
            .run_async(
                "done(await window.__TAURI_INTERNALS__.invoke('plugin:vestibule|session'))",
                json!({}),
            )
            .await;
        assert_eq!(state, spoofed["told"], "the session is unchanged");
        turn_to(&app, &second).await;
        app.run_async(
            "await window.__TAURI_INTERNALS__.invoke('plugin:vestibule|theme'); done(1)",
            json!({}),
        )
        .await;
        assert_eq!(
            events(&app).await,
            before,
            "the other window received no event"
        );
        assert!(app.shows(Role::Button, containing(DEMO_NAME)).await);
        turn_to(&app, &first).await;
        app.open("/dashboard/").await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        assert_eq!(stage.backend.requests("POST", "/logout"), 0);

        // The control: a real change reaches both windows.
        crate::pick(&app, DEMO_NAME, "Sign out").await;
        turn_to(&app, &second).await;
        app.arrives("/auth/login/").await;
        assert!(events(&app).await > before, "the recorder notices events");
    });
}

/// How many changes of the session this window has received.
async fn events(app: &App) -> usize {
    let record = app.record().await;
    record.pages().map(|page| page.events.len()).sum()
}
