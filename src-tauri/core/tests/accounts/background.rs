//! Accounts that no window shows.

use std::time::Duration;

use vestibule_backend::{Backend, Carrier, Config};
use vestibule_core::wire::{AccountStanding, Phase, SignedOutReason};
use vestibule_core::{ErrorCode, StoreError};
use vestibule_harness::*;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// How many refresh tokens a person's newest session has been given.
fn tokens(backend: &Backend, email: &str) -> u32 {
    backend.sessions(email).last().expect("a session").tokens
}

/// An app whose only window shows the administrator. The demo account's session was closed.
async fn one_in_the_background(setup: &Setup) -> (AccountApp, vestibule_core::AccountId) {
    let app = AccountApp::new(&[(WORKSPACE, &setup.backend)]);
    let idle = app.sign_in("main", DEMO).await;
    app.add("main", WORKSPACE, ADMIN).await;
    closed(&app, idle).await;
    (app, idle)
}

async fn closed(app: &AccountApp, id: vestibule_core::AccountId) {
    app.while_passing(SECOND, "the idle session to be closed", |app| {
        app.host.session_of(id).is_none()
    })
    .await;
}

/// Lets this time pass, and waits until what is due is done.
async fn pass(app: &AccountApp, time: Duration) {
    app.clock().advance(time);
    app.clock().until_asleep().await;
    until_idle();
    app.clock().until_asleep().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_session_is_closed_and_renewed_before_it_would_end() {
    let setup = Setup::new(Config::default()).await;
    let (app, idle) = one_in_the_background(&setup).await;
    let standing = app.summary(idle).expect("listed").standing;
    assert_eq!(standing, AccountStanding::Kept, "nothing newer is known");
    let (before, opens) = (tokens(&setup.backend, DEMO), app.host.opens());
    // The backend's refresh tokens are valid for 30 days.
    pass(&app, DAY * 20 + HOUR * 22).await;
    assert_eq!(app.host.opens(), opens, "not before 70 % of that");
    assert_eq!(tokens(&setup.backend, DEMO), before);
    app.clock().advance(DAY * 6 + HOUR * 3);
    app.while_passing(SECOND, "a renewal by 90 % of it", |_| {
        tokens(&setup.backend, DEMO) == before + 1
    })
    .await;
    closed(&app, idle).await;
    assert_eq!(app.host.opens(), opens + 1, "opened once for that");
    assert_eq!(app.emails(), [DEMO, ADMIN]);
    app.accounts().switch("main", idle).expect("listed");
    let (_, session) = app.page("main");
    until(&session, "a fresh session", is_fresh).await;
    assert_eq!(
        tokens(&setup.backend, DEMO),
        before + 2,
        "one that is shown is renewed at once"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_renewed_daily_where_the_backend_does_not_say_how_long_it_lasts() {
    let config = Config {
        carrier: Carrier::Body,
        ..Config::default()
    };
    let setup = Setup::new(config).await;
    let (app, idle) = one_in_the_background(&setup).await;
    let before = tokens(&setup.backend, DEMO);
    for days in 1..=3 {
        pass(&app, HOUR * 16).await;
        let said = format!("day {days}: not before 70 % of it");
        assert_eq!(tokens(&setup.backend, DEMO), before + days - 1, "{said}");
        app.clock().advance(HOUR * 6);
        app.while_passing(SECOND, "the day's renewal", |_| {
            tokens(&setup.backend, DEMO) == before + days
        })
        .await;
        closed(&app, idle).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_backend_is_away_it_is_tried_again_and_nobody_is_signed_out() {
    let setup = Setup::new(Config::default()).await;
    let (app, idle) = one_in_the_background(&setup).await;
    let before = tokens(&setup.backend, DEMO);
    setup.backend.down().await;
    app.clock().advance(DAY * 28);
    for round in 1..=3 {
        let opens = app.host.opens();
        app.while_passing(SECOND, "a try", |app| app.host.opens() > opens)
            .await;
        let tried = app.clock_now();
        closed(&app, idle).await;
        let took = app.clock_now() - tried;
        let standing = app.summary(idle).expect("listed").standing;
        assert_eq!(standing, AccountStanding::Kept, "round {round}");
        let opens = app.host.opens();
        pass(&app, Duration::from_secs(280).saturating_sub(took)).await;
        assert_eq!(app.host.opens(), opens, "round {round}: not within 5 min");
        app.clock().advance(Duration::from_secs(615));
    }
    setup.backend.up().await.expect("the same port");
    app.while_passing(SECOND, "the renewal", |_| {
        tokens(&setup.backend, DEMO) == before + 1
    })
    .await;
    assert_eq!(app.emails(), [DEMO, ADMIN]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_wall_clock_ends_nothing() {
    let setup = Setup::new(Config::default()).await;
    let (app, idle) = one_in_the_background(&setup).await;
    let right = vestibule_core::testing::Clock::wall(&**app.clock());
    let years = DAY * 3650;
    for wall in [right + years, right - years, std::time::UNIX_EPOCH, right] {
        app.clock().set_wall(wall);
        let before = tokens(&setup.backend, DEMO);
        app.while_passing(SECOND, "a clock that was set to make it due", |_| {
            tokens(&setup.backend, DEMO) > before
        })
        .await;
        closed(&app, idle).await;
        let renewed = tokens(&setup.backend, DEMO);
        pass(&app, HOUR).await;
        assert_eq!(
            tokens(&setup.backend, DEMO),
            renewed,
            "once, and not again and again"
        );
    }
    assert_eq!(app.emails(), [DEMO, ADMIN]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_in_the_background_is_told_by_the_list() {
    let setup = Setup::new(Config::default()).await;
    let (app, idle) = one_in_the_background(&setup).await;
    setup.backend.revoke_session(DEMO);
    app.clock().advance(DAY * 28);
    let revoked = AccountStanding::SignedOut {
        why: SignedOutReason::Revoked,
    };
    app.while_passing(SECOND, "the list to say so", |app| {
        app.summary(idle).expect("listed").standing == revoked
    })
    .await;
    closed(&app, idle).await;
    let summary = app.summary(idle).expect("listed");
    assert_eq!(summary.standing, revoked, "also once it is closed");
    assert_eq!(app.emails(), [DEMO, ADMIN], "with its owner");
    let opens = app.host.opens();
    pass(&app, DAY * 30).await;
    assert_eq!(app.host.opens(), opens, "nothing is left to renew");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_memory_holds_is_not_closed() {
    let setup = Setup::new(Config::default()).await;
    let app = AccountApp::new(&[(WORKSPACE, &setup.backend)]);
    let idle = app.page("main").0;
    app.store().block(Block::Fail(StoreError::Locked));
    app.sign_in("main", DEMO).await;
    app.store().heal();
    app.store().block(Block::Fail(StoreError::Locked));
    app.accounts().add("main", WORKSPACE).expect("room");
    drop(app.page("main"));
    for _ in 0..20 {
        pass(&app, Duration::from_secs(600)).await;
        assert!(
            app.host.session_of(idle).is_some(),
            "its token would be lost"
        );
    }
    assert_eq!(setup.alive(DEMO), 1);
    app.store().heal();
    closed(&app, idle).await;
    app.accounts().switch("main", idle).expect("listed");
    let (_, session) = app.page("main");
    until(&session, "the session to go on", is_fresh).await;
    assert_eq!(owner(&session).await.as_deref(), Some(DEMO));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_challenge_waits_for_its_person() {
    let setup = Setup::new(Config::default()).await;
    let app = AccountApp::new(&[(WORKSPACE, &setup.backend)]);
    let first = app.sign_in("main", DEMO).await;
    let challenged = app.accounts().add("main", WORKSPACE).expect("room");
    let (_, session) = app.page("main");
    session.login(login(OTP)).await.expect("challenged");
    drop(session);
    app.until_listed("the challenge", |list| {
        list[1].standing == AccountStanding::Challenged
    })
    .await;
    app.accounts().switch("main", first).expect("listed");
    drop(app.page("main"));
    for _ in 0..4 {
        pass(&app, Duration::from_secs(40)).await;
    }
    let another = app.accounts().add("window-2", WORKSPACE).expect("room");
    assert_ne!(another, challenged, "nobody else is asked for that code");
    app.accounts().switch("main", challenged).expect("listed");
    let (_, session) = app.page("main");
    let phase = session.snapshot().state.phase;
    assert!(matches!(phase, Phase::OtpPending { .. }), "{phase:?}");
    let sent = setup.backend.last_code(OTP).expect("a code");
    let verified = verify(&session, vestibule_core::Secret::new(sent)).await;
    verified.expect("the code that was sent");
    assert_eq!(owner(&session).await.as_deref(), Some(OTP));
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_start_the_windows_come_first() {
    let setup = Setup::new(Config::default()).await;
    let (mut app, _) = one_in_the_background(&setup).await;
    app.clock().advance(DAY * 28);
    app.restart().await;
    drop(app.page("main"));
    let opens = app.host.opens();
    pass(&app, Duration::from_millis(9_900)).await;
    assert_eq!(app.host.opens(), opens, "nothing in the first ten seconds");
    app.while_passing(SECOND, "the renewal that is due", |app| {
        app.host.opens() > opens
    })
    .await;
}

/// A workspace whose settings are wrong keeps its accounts closed, and the others go on.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_cannot_be_opened_holds_nobody_up() {
    let setup = Setup::new(Config::default()).await;
    let app = AccountApp::new(&[(WORKSPACE, &setup.backend), ("other", &setup.backend)]);
    let idle = app.sign_in("main", DEMO).await;
    let wrong = app.add("main", "other", DEMO).await;
    app.add("main", WORKSPACE, ADMIN).await;
    closed(&app, idle).await;
    closed(&app, wrong).await;
    app.host.forget_workspace("other");
    let before = app.store().reads();
    app.clock().advance(DAY * 28);
    app.while_passing(SECOND, "the renewal of the others", |app| {
        app.store().reads() > before
    })
    .await;
    closed(&app, idle).await;
    let refused = app.accounts().switch("window-2", wrong);
    refused.expect("the page is told why");
    app.accounts().page_began("window-2");
    let refused = app.accounts().session("window-2").map(drop);
    assert_eq!(code(&refused), Some(ErrorCode::UnknownWorkspace));
    app.host.set_workspace("other", &setup.backend);
    let (_, session) = app.page("window-2");
    until(&session, "the session to go on", is_fresh).await;
}
