//! Several accounts in one app: which one a window shows, and that nothing of one is seen by another.

use serde_json::{Value, json};
use vestibule_acceptance::{
    ADMIN, ADMIN_NAME, App, DEMO, DEMO_NAME, Host, Role, Stage, containing, scenario, until,
    with_outside,
};
use vestibule_backend::{Backend, Config};

use crate::windows::{another, turn_to};
use crate::{enter, pick, signed_in};

/// Calls a command of the plugin from the page, as any script there can. Answers what it answered, or
/// its error.
async fn call(app: &App, command: &str, arguments: Value) -> Value {
    let called = json!({ "command": command, "arguments": arguments });
    app.run_async(
        "const { command, arguments: given } = argument;
         const { invoke } = window.__TAURI_INTERNALS__;
         invoke(`plugin:vestibule|${command}`, given)
           .then((ok) => done({ ok }), (error) => done({ error }));",
        called,
    )
    .await
}

/// The same for a command after which the page is loaded anew, so that its answer may not arrive.
async fn begin(app: &App, command: &str, arguments: Value) {
    let called = json!([format!("plugin:vestibule|{command}"), arguments]);
    app.run(&format!(
        "window.__TAURI_INTERNALS__.invoke(...{called}).catch(() => undefined);"
    ))
    .await;
}

/// The list of accounts as the page of this window gets it.
async fn list(app: &App) -> Value {
    let mut list = call(app, "accounts", json!({})).await;
    list["ok"].take()
}

/// The id of this person's account.
async fn account_of(app: &App, email: &str) -> String {
    let list = list(app).await;
    let accounts = list["accounts"].as_array().expect("a list of accounts");
    let mut accounts = accounts.iter();
    let account = accounts.find(|account| account["owner"]["email"] == email);
    let account = account.unwrap_or_else(|| panic!("{email} is in the list: {list}"));
    account["id"].as_str().expect("an id").to_owned()
}

/// Signs a second person in to an account of their own; the window shows it.
async fn add_admin(app: &App) {
    pick(app, DEMO_NAME, "Add account").await;
    app.click(Role::Button, containing("127.0.0.1:")).await;
    app.find(Role::Button, "Accounts").await;
    app.open("/auth/login/").await;
    enter(app, ADMIN).await;
    app.find(Role::Button, containing(ADMIN_NAME)).await;
}

/// Starts the app, and signs two people in to two accounts. The second is shown.
async fn two_accounts(stage: &Stage) -> App {
    let app = signed_in(stage, DEMO, DEMO_NAME).await;
    add_admin(&app).await;
    app
}

/// What a page finds of what could hold something, and of what could reach another window's page.
const WAYS: &str = "
  const found = (name, look) => {
    try { const value = look(); return value === undefined || value === null ? [] : [name]; }
    catch { return []; }
  };
  document.cookie = 'kept=by-a-page; max-age=1000';
  return [
    ...found('localStorage', () => window.localStorage),
    ...found('indexedDB', () => window.indexedDB),
    ...found('caches', () => window.caches),
    ...found('BroadcastChannel', () => window.BroadcastChannel),
    ...found('SharedWorker', () => window.SharedWorker),
    ...found('serviceWorker', () => navigator.serviceWorker),
    ...found('locks', () => navigator.locks),
    ...found('storage', () => navigator.storage),
    ...found('cookieStore', () => window.cookieStore),
    ...found('cookie', () => document.cookie || null),
  ];";

#[test]
fn a_window_is_switched_and_keeps_nothing_of_the_account_before() {
    scenario(async |stage| {
        let app = two_accounts(stage).await;
        assert_eq!(
            app.run(WAYS).await,
            json!([]),
            "nothing in the engine outlives a page or reaches another window's"
        );
        app.open("/account/").await;
        app.find(Role::Button, containing(ADMIN_NAME)).await;
        app.run("window.name = 'Ada'; sessionStorage.setItem('of', 'Ada');")
            .await;
        assert!(
            app.run("return history.length").await.as_u64() > Some(1),
            "there is a way back before the switch"
        );
        app.click(Role::Button, containing(ADMIN_NAME)).await;
        app.click(Role::MenuRadio, containing(DEMO_NAME)).await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        // The app's first page.
        app.arrives("/").await;
        let left = "return [window.name, sessionStorage.getItem('of')];";
        assert_eq!(app.run(left).await, json!(["", null]));
        assert!(!app.text().await.contains(ADMIN_NAME));
        let length = app.run("return history.length").await;
        assert!(length.as_u64() <= Some(2), "there is no way back: {length}");
        app.run("history.back()").await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        app.arrives("/").await;
        let shown = list(&app).await;
        assert_eq!(shown["current"], json!(account_of(&app, DEMO).await));
        assert_eq!(
            stage.backend.requests("POST", "/login"),
            2,
            "nobody had to sign in again"
        );
    });
}

#[test]
fn keys_alone_lead_through_the_accounts() {
    scenario(async |stage| {
        let app = two_accounts(stage).await;
        let keyboard = stage.keyboard();
        keyboard.focus("Vestibule").await;
        keyboard.press(&["ctrl+1"]);
        app.find(Role::Button, containing(DEMO_NAME)).await;
        keyboard.focus("Vestibule").await;
        keyboard.press(&["ctrl+2"]);
        app.find(Role::Button, containing(ADMIN_NAME)).await;

        // A window whose account is removed asks who it is.
        let ada = account_of(&app, ADMIN).await;
        begin(&app, "remove_account", json!({ "account": ada })).await;
        app.find(Role::Heading, "Who is it?").await;
        stage.backend.reached("POST", "/logout", 1).await;
        keyboard.focus("Vestibule").await;
        keyboard.press(&["Return"]);
        app.find(Role::Button, containing(DEMO_NAME)).await;
        let left = list(&app).await;
        assert_eq!(left["accounts"].as_array().map(Vec::len), Some(1), "{left}");
    });
}

#[test]
fn two_windows_of_two_accounts_hear_nothing_of_each_other() {
    scenario(async |stage| {
        let app = two_accounts(stage).await;
        let ada_window = app.driver().window().await.expect("a window");
        pick(&app, ADMIN_NAME, "New window").await;
        let dana_window = another(&app, std::slice::from_ref(&ada_window)).await;
        turn_to(&app, &dana_window).await;
        app.find(Role::Button, containing(ADMIN_NAME)).await;
        let dana = account_of(&app, DEMO).await;
        begin(&app, "switch_account", json!({ "account": dana })).await;
        app.find(Role::Button, containing(DEMO_NAME)).await;

        // Everything that this page can listen to, in place of its own listeners.
        let listen = "
          const { invoke, transformCallback } = window.__TAURI_INTERNALS__;
          window.heard = { session: [], accounts: [] };
          const channel = (name) => {
            const id = transformCallback(({ message }) => {
              if (message !== undefined) window.heard[name].push(JSON.stringify(message));
            });
            return `__CHANNEL__:${id}`;
          };
          const events = await invoke('plugin:event|listen', {
            event: 'session-changed', target: { kind: 'Any' }, handler: transformCallback(() => {}),
          }).then(() => 'granted', () => 'refused');
          await invoke('plugin:vestibule|session', { changes: channel('session') });
          await invoke('plugin:vestibule|accounts', { changes: channel('accounts') });
          done(events);";
        assert_eq!(app.run_async(listen, json!(null)).await, json!("refused"));

        // A call that belongs to the other window.
        turn_to(&app, &ada_window).await;
        let upload = json!({ "exchange": 4711, "request": {
            "path": "/transfer", "method": "POST", "headers": [], "length": 3, "replayable": false } });
        let begun = call(&app, "backend_upload", upload).await;
        assert!(begun["error"].is_null(), "it is begun: {begun}");
        turn_to(&app, &dana_window).await;
        for command in ["backend_answer", "backend_read"] {
            let stolen = call(&app, command, json!({ "exchange": 4711 })).await;
            assert!(stolen["error"].is_object(), "{command}: {stolen}");
        }

        turn_to(&app, &ada_window).await;
        let own = call(&app, "backend_cancel", json!({ "exchange": 4711 })).await;
        assert!(
            own["error"].is_null(),
            "the control: its own window may: {own}"
        );
        pick(&app, ADMIN_NAME, "Sign out").await;
        app.arrives("/auth/login/").await;
        turn_to(&app, &dana_window).await;
        until("the list to say so", async || {
            let heard = app.run("return window.heard").await;
            let lists = heard["accounts"].as_array().cloned().unwrap_or_default();
            let told = lists
                .iter()
                .any(|list| list.as_str().is_some_and(|list| list.contains("by_user")));
            match told {
                true => Ok(()),
                false => Err(format!("{heard}")),
            }
        })
        .await;
        let heard = app.run("return window.heard.session").await;
        assert_eq!(
            heard,
            json!([]),
            "a session's changes go to its own windows"
        );
        app.find(Role::Button, containing(DEMO_NAME)).await;

        // The control: this page does hear its own.
        pick(&app, DEMO_NAME, "Sign out").await;
        until("its own change", async || {
            let heard = app.run("return window.heard.session").await;
            match heard.to_string().contains("by_user") {
                true => Ok(()),
                false => Err(format!("{heard}")),
            }
        })
        .await;
    });
}

#[test]
fn the_first_window_shows_its_account_again_after_a_restart() {
    scenario(async |stage| {
        let app = two_accounts(stage).await;
        let dana = account_of(&app, DEMO).await;
        begin(&app, "switch_account", json!({ "account": dana })).await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        app.kill();
        let app = stage.start().await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        app.click(Role::Button, containing(DEMO_NAME)).await;
        app.click(Role::MenuRadio, containing(ADMIN_NAME)).await;
        app.find(Role::Button, containing(ADMIN_NAME)).await;
        assert_eq!(
            stage.backend.requests("POST", "/login"),
            2,
            "nobody had to sign in again"
        );
    });
}

#[test]
fn a_session_that_ends_while_nobody_looks_is_told_in_the_other_account() {
    scenario(async |stage| {
        let app = two_accounts(stage).await;
        let first = app.driver().window().await.expect("a window");
        pick(&app, ADMIN_NAME, "New window").await;
        let second = another(&app, std::slice::from_ref(&first)).await;
        turn_to(&app, &second).await;
        let dana = account_of(&app, DEMO).await;
        begin(&app, "switch_account", json!({ "account": dana })).await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        assert_eq!(stage.backend.revoke_session(ADMIN), 1);
        turn_to(&app, &first).await;
        call(&app, "refresh", json!({})).await;
        turn_to(&app, &second).await;
        app.says(ADMIN_NAME).await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
    });
}

#[test]
fn a_server_is_added_after_the_person_has_agreed_and_grants_nothing() {
    scenario(async |stage| {
        let other = Backend::start(Config::default()).await.expect("a backend");
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        app.open("/accounts/add/").await;
        app.click(Role::Button, containing("Another server")).await;
        let address = other.url();
        let requests = || other.requests("POST", "/refresh-token");

        app.fill("Server address", &address).await;
        app.click(Role::Button, "Look").await;
        let keyboard = stage.keyboard();
        keyboard.focus("Contact 127.0.0.1:.*").await;
        assert_eq!(
            requests(),
            0,
            "nobody is contacted before the person agrees"
        );
        keyboard.press(&["Escape"]);
        app.says("was not contacted").await;
        assert_eq!(requests(), 0);

        app.click(Role::Button, "Look").await;
        keyboard.accept("Contact 127.0.0.1:.*").await;
        app.click(Role::Button, "Add this server").await;
        app.find(Role::Button, "Accounts").await;
        app.open("/auth/login/").await;
        enter(&app, ADMIN).await;
        app.find(Role::Button, containing(ADMIN_NAME)).await;
        assert_eq!(
            other.requests("POST", "/login"),
            2,
            "the look, which has nobody's data, and the sign-in"
        );
        assert!(
            !app.shows(Role::Link, "People").await,
            "a server that says `admin` grants nothing"
        );
        let exported = app
            .run_async(
                "window.__TAURI_INTERNALS__.invoke('export_people')
                   .then(() => done('exported'), () => done('refused'));",
                json!(null),
            )
            .await;
        assert_eq!(exported, json!("refused"));

        // The first account is still there, and knows nothing of it.
        let dana = account_of(&app, DEMO).await;
        begin(&app, "switch_account", json!({ "account": dana })).await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        assert_eq!(stage.backend.requests("POST", "/login"), 1);
    });
}

/// A script in a page can ask for a look at any address, so the person is asked in a window of the
/// system's own before anything leaves this computer.
#[test]
fn an_address_with_letters_that_look_alike_is_shown_for_what_it_is_before_anybody_is_contacted() {
    with_outside(|outside| {
        scenario(async |stage| {
            let host = Host::numbered(7);
            let app = stage.start().await;
            app.find(Role::Link, "Sign in").await;
            // The second letter is Cyrillic.
            let address = format!("https://p\u{430}ypal.{}/", host.name());
            let keyboard = stage.keyboard();
            let shown = r"Contact xn--pypal-4ve\..*";

            begin(&app, "look_at_workspace", json!({ "address": address })).await;
            keyboard.focus(shown).await;
            // A key that was meant for the page refuses.
            keyboard.press(&["Return"]);
            until("the question to be gone", async || {
                match keyboard.windows(shown)?.is_empty() {
                    true => Ok(()),
                    false => Err("it is still there".into()),
                }
            })
            .await;
            assert_eq!(outside.lookups(), [""; 0], "nobody was contacted");
            assert_eq!(outside.packets(), []);

            // The control: what is agreed to is heard.
            until("the next question to be allowed", async || {
                begin(&app, "look_at_workspace", json!({ "address": address })).await;
                match keyboard.windows(shown)?.is_empty() {
                    false => Ok(()),
                    true => Err("there is none".into()),
                }
            })
            .await;
            keyboard.accept(shown).await;
            until("the look to be heard", async || {
                match outside.was_asked_for(host) && outside.was_spoken_to(host) {
                    true => Ok(()),
                    false => Err(format!("{:?}", outside.lookups())),
                }
            })
            .await;
        });
    });
}
