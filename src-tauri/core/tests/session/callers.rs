//! What one person asked for is done in that person's name or not at all, even if another person
//! signs in while it waits.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinHandle;
use vestibule_backend::{Effect, Fault};
use vestibule_core::session::Session;
use vestibule_core::testing::{Upload, UploadAnswer};
use vestibule_core::wire::{FetchRequest, UploadRequest};
use vestibule_core::{AuthError, StoreError};
use vestibule_harness::*;

/// Longer than the lifetime of an access token.
const A_LIFE: Duration = Duration::from_secs(16 * 60);
const PURCHASE: &str = "/plans/team/purchase";

/// What happens while a call waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    SignsInOver,
    SignsInAfterASignOut,
    /// The same person signs in again, which is another session.
    SignsInAgain,
    /// Nobody signs in.
    SignOut,
}

const ALL: [Next; 4] = [
    Next::SignsInOver,
    Next::SignsInAfterASignOut,
    Next::SignsInAgain,
    Next::SignOut,
];

impl Next {
    async fn comes(self, session: &Session) {
        if matches!(self, Self::SignsInAfterASignOut | Self::SignOut) {
            session.logout().await;
        }
        let email = match self {
            Self::SignsInOver | Self::SignsInAfterASignOut => ADMIN,
            Self::SignsInAgain => DEMO,
            Self::SignOut => return,
        };
        session.login(login(email)).await.expect("signs in");
    }
}

fn purchase() -> FetchRequest {
    FetchRequest {
        path: PURCHASE.into(),
        method: "POST".into(),
        headers: vec![("content-type".into(), "application/json".into())],
        body: Some("{}".into()),
    }
}

fn buy(session: &Session) -> JoinHandle<Result<u16, AuthError>> {
    let session = session.clone();
    tokio::spawn(async move { session.fetch(purchase()).await.map(|reply| reply.status) })
}

/// A purchase whose body is sent piece by piece.
fn begin(session: &Session, replayable: bool) -> Arc<Upload> {
    let request = UploadRequest {
        path: PURCHASE.into(),
        method: "POST".into(),
        headers: vec![("content-type".into(), "application/json".into())],
        length: Some(2),
        replayable,
    };
    Arc::new(session.upload(&request).expect("a path that is allowed"))
}

fn give(session: &Session, replayable: bool) -> JoinHandle<Result<u16, AuthError>> {
    let upload = begin(session, replayable);
    tokio::spawn(async move {
        loop {
            upload.write(b"{}".to_vec()).await;
            match upload.answer().await? {
                UploadAnswer::Answer(reply, _) => return Ok(reply.status),
                UploadAnswer::SendAgain => {}
            }
        }
    })
}

/// The number of purchases at the backend.
fn purchases(harness: &Harness) -> usize {
    harness.backend.requests("POST", PURCHASE)
}

/// Checks that the earlier person's purchase was not sent, and that the next person's is the first.
async fn check_untouched(harness: &Harness, next: Next, name: &str) {
    assert_eq!(
        purchases(harness),
        0,
        "{name}, {next:?}: the call was never sent"
    );
    if next != Next::SignOut {
        let own = soon("a purchase", buy(&harness.session))
            .await
            .expect("ends");
        assert_eq!(
            own,
            Ok(201),
            "{name}, {next:?}: the session's own purchase is its first"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_refresh_is_not_sent_for_the_next_person() {
    for next in ALL {
        for kind in ["a call", "an upload", "an upload that can be repeated"] {
            let harness = Harness::signed_in().await;
            harness.strike(REFRESH, Effect::Delay { ms: 800 });
            harness.pass(A_LIFE);
            harness.reached(REFRESH, 1).await;
            let waiting = match kind {
                "a call" => buy(&harness.session),
                kind => give(&harness.session, kind.contains("repeated")),
            };
            // The call has to be waiting, and nothing reports that.
            until_idle();
            assert!(!waiting.is_finished(), "{kind} waits for the refresh");
            next.comes(&harness.session).await;
            let ended = soon("its end", waiting).await.expect("ends");
            assert!(ended.is_err(), "{kind}, {next:?}: it fails: {ended:?}");
            check_untouched(&harness, next, kind).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_a_refresh_that_fails_is_not_sent_for_the_next_person() {
    for next in ALL {
        let harness = Harness::signed_in().await;
        let id = harness.backend.faults().add(
            Fault::on("POST", REFRESH, Effect::Hang {})
                .before()
                .times(1),
        );
        harness.pass(A_LIFE);
        harness.reached(REFRESH, 1).await;
        let waiting = buy(&harness.session);
        until_idle();
        next.comes(&harness.session).await;
        harness.backend.down().await;
        harness.backend.faults().remove(id);
        harness.backend.up().await.expect("the backend is back");
        let ended = soon("its end", waiting).await.expect("ends");
        assert!(ended.is_err(), "{next:?}: it fails: {ended:?}");
        check_untouched(&harness, next, "a refresh that breaks off").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_behind_a_closed_keyring_is_not_sent_for_the_next_person() {
    for next in [Next::SignsInOver, Next::SignsInAgain] {
        let mut harness = Harness::signed_in().await;
        harness.store.block(Block::Hang);
        harness.restart();
        eventually("a write to the keyring", || harness.store.waiting() > 0).await;
        let waiting = buy(&harness.session);
        until_idle();
        assert!(!waiting.is_finished(), "the call waits for the keyring");
        next.comes(&harness.session).await;
        harness.store.heal();
        let ended = soon("its end", waiting).await.expect("ends");
        assert!(ended.is_err(), "{next:?}: it fails: {ended:?}");
        check_untouched(&harness, next, "a keyring that hangs").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_is_not_repeated_for_the_next_person() {
    for next in ALL {
        for kind in ["a call", "an upload that can be repeated"] {
            let harness = Harness::signed_in().await;
            harness.backend.expire_access_tokens();
            harness.strike(REFRESH, Effect::Delay { ms: 800 });
            let refused = match kind {
                "a call" => buy(&harness.session),
                _ => give(&harness.session, true),
            };
            harness.reached(REFRESH, 1).await;
            next.comes(&harness.session).await;
            let ended = soon("its end", refused).await.expect("ends");
            assert_ne!(
                ended.ok(),
                Some(201),
                "{kind}, {next:?}: the purchase is not made"
            );
            assert_eq!(purchases(&harness), 1, "{kind}, {next:?}: sent once");
            if next != Next::SignOut {
                let own = buy(&harness.session).await.expect("ends");
                assert_eq!(own, Ok(201), "{kind}, {next:?}: the first");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_on_to_another_place_is_not_sent_on_for_the_next_person() {
    let harness = Harness::signed_in().await;
    let first = harness.get("/me").await.expect("a call");
    assert_eq!(first.status, 200);
    let ours = harness.backend.last_request("GET", "/me").expect("one");
    let ours = ours.header("authorization").map(str::to_owned);
    let on = answer(307, json!({}), &[("location", "/plans/team")]);
    harness
        .backend
        .faults()
        .add(Fault::on("GET", "/plans", on).times(1));
    // The second request is slow, so that the next person signs in before its answer.
    let slow = Effect::Delay { ms: 500 };
    harness
        .backend
        .faults()
        .add(Fault::on("GET", "/plans/team", slow).times(1));
    let session = harness.session.clone();
    let going = tokio::spawn(async move { session.fetch(get("/plans")).await });
    soon("it", harness.backend.reached("GET", "/plans/team", 1)).await;
    harness.sign_in(ADMIN).await;
    let _ = soon("its end", going).await.expect("ends");
    for sent in harness.backend.recent_requests("GET", "/plans/team") {
        let bearer = sent.header("authorization").map(str::to_owned);
        assert_eq!(
            bearer, ours,
            "the call carries the token of the person who asked"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_cookie_from_a_call_of_the_one_before_is_not_the_next_persons() {
    for signs_out in [false, true] {
        let setup = Setup::with_profile(
            vestibule_backend::Config::default(),
            json!({"cookies": {"with_api": true}}),
        )
        .await;
        let mut install = setup.install().await;
        install.sign_in(DEMO).await;
        let cookie = format!("{COOKIE}=planted; Path=/; HttpOnly; Max-Age=1000");
        let set = answer(200, json!({}), &[("set-cookie", &cookie)]);
        setup
            .backend
            .faults()
            .add(Fault::on("GET", "/me", set).times(1));
        // The keyring is slow: the new cookie has arrived and waits.
        setup.store.block(Block::Hang);
        let session = install.session.clone();
        let calling = tokio::spawn(async move { session.fetch(get("/me")).await });
        eventually("a write to the keyring", || setup.store.waiting() > 0).await;
        if signs_out {
            install.session.logout().await;
        }
        let session = install.session.clone();
        let signing_in = tokio::spawn(async move { session.login(login(ADMIN)).await });
        setup.store.heal();
        let signed_in = soon("the sign-in", signing_in).await.expect("ends");
        signed_in.expect("signed in");
        let _ = soon("the call", calling).await.expect("ends");
        let name = format!("signed out between: {signs_out}");
        let who = install.settle(&name).await;
        assert_eq!(who.as_deref(), Ok(ADMIN), "{name}");
        install.session.refresh().await.expect("refreshed");
        install.restart();
        assert_eq!(install.settle(&name).await.as_deref(), Ok(ADMIN), "{name}");
    }
}

/// A refusal for lack of a role concerns one person, and causes no refresh for the next.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_one_person_changes_nothing_for_the_next() {
    let harness = Harness::signed_in().await;
    let late = Effect::Delay { ms: 500 };
    harness
        .backend
        .faults()
        .add(Fault::on("GET", "/admin/users", late).times(1));
    let session = harness.session.clone();
    let asking = tokio::spawn(async move { session.fetch(get("/admin/users")).await });
    soon("it", harness.backend.reached("GET", "/admin/users", 1)).await;
    harness.sign_in(ADMIN).await;
    let reply = soon("its end", asking).await.expect("ends");
    assert_ne!(reply.map(|reply| reply.status).ok(), Some(200));
    let refreshes = harness.refreshes();
    assert!(harness.state().may.contains(&"people.see".to_owned()));
    harness.pass(Duration::from_secs(5));
    assert_eq!(harness.get("/admin/users").await.expect("one").status, 200);
    assert_eq!(
        harness.refreshes(),
        refreshes,
        "the next person's roles were not asked for again"
    );
}

/// A failing keyring is no reason to send one person's call for another either.
#[tokio::test(flavor = "multi_thread")]
async fn what_waits_while_nothing_can_be_kept_is_not_sent_for_the_next_person() {
    let harness = Harness::signed_in().await;
    harness.store.block(Block::Fail(StoreError::Failed));
    harness.strike(REFRESH, Effect::Delay { ms: 800 });
    harness.pass(A_LIFE);
    harness.reached(REFRESH, 1).await;
    let waiting = buy(&harness.session);
    until_idle();
    harness.sign_in(ADMIN).await;
    let ended = soon("its end", waiting).await.expect("ends");
    assert!(ended.is_err(), "it fails: {ended:?}");
    check_untouched(&harness, Next::SignsInOver, "kept in memory").await;
}

/// The task of an upload may start to run long after the page has begun the upload.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_sent_for_who_began_it_however_late() {
    for first in [None, Some(DEMO)] {
        let harness = Harness::new().await;
        harness.until_signed_out().await;
        if let Some(first) = first {
            harness.sign_in(first).await;
        }
        let tasks = tokio::runtime::Builder::new_current_thread();
        let tasks = { tasks }.enable_all().build().expect("a runtime");
        // No part of the upload has run yet.
        let upload = {
            let _inside = tasks.enter();
            begin(&harness.session, false)
        };
        harness.sign_in(ADMIN).await;
        let late = std::thread::spawn(move || {
            tasks.block_on(async {
                upload.write(b"{}".to_vec()).await;
                upload.answer().await.map(drop)
            })
        });
        eventually("it ends", || late.is_finished()).await;
        late.join().expect("ends").expect("an answer");
        harness.get("/me").await.expect("a call of the next person");
        let bearer = |method, path| {
            let sent = harness.backend.last_request(method, path).expect("one");
            sent.header("authorization").map(str::to_owned)
        };
        let sent = bearer("POST", PURCHASE);
        assert_eq!(sent.is_some(), first.is_some(), "{first:?} asked");
        assert_ne!(sent, bearer("GET", "/me"), "{first:?} asked");
    }
}
