//! A sign-in that fails leaves no session at the backend: a session that was begun and never used
//! is revoked.

use serde_json::json;
use vestibule_backend::{Carrier, Config, Cut, Effect, Fault, Point};
use vestibule_core::Secret;
use vestibule_core::wire::RegisterInput;
use vestibule_harness::*;

/// Ways in which an answer breaks off after its headers.
fn breaks() -> Vec<(&'static str, Effect)> {
    vec![
        ("cut in the body", Effect::Truncate { cut: Cut::Close }),
        ("reset in the body", Effect::Truncate { cut: Cut::Reset }),
        (
            "reset after the headers",
            Effect::Reset {
                at: Point::AfterHeaders,
            },
        ),
        ("a body without end", Effect::Huge { bytes: 8 << 20 }),
    ]
}

async fn check_ended(setup: &Setup, install: &Installation, email: &str, name: &str) {
    assert!(
        why(&install.state()).is_some(),
        "{name}: nobody is signed in"
    );
    install
        .passing(eventually(name, || setup.alive(email) == 0))
        .await;
    // A sign-in that broke off before the backend began a session leaves none.
    let ends = setup.ends(email).into_iter();
    let others: Vec<_> = ends
        .filter(|end| end.as_deref() != Some("signed_out"))
        .collect();
    assert!(others.is_empty(), "{name}: {others:?}");
    install.sign_in(DEMO).await;
    assert_eq!(
        owner(&install.session).await.as_deref(),
        Some(DEMO),
        "{name}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_breaks_off_after_its_cookie_is_revoked() {
    for (name, effect) in breaks() {
        let setup = Setup::new(Config::default()).await;
        let install = setup.install().await;
        setup
            .backend
            .faults()
            .add(Fault::on("POST", "/login", effect).times(1));
        let broken = install.session.login(login(ADMIN)).await;
        broken.expect_err("the answer broke off");
        check_ended(&setup, &install, ADMIN, name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registration_that_breaks_off_after_its_cookie_is_revoked() {
    let email = "nora@example.com";
    for (name, effect) in breaks() {
        let setup = Setup::new(Config::default()).await;
        let install = setup.install().await;
        setup
            .backend
            .faults()
            .add(Fault::on("POST", "/register", effect).times(1));
        let input = RegisterInput::new("Nora", email, PASSWORD);
        let broken = install.session.register(input).await;
        broken.expect_err("the answer broke off");
        check_ended(&setup, &install, email, name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_understood_after_its_cookie_is_revoked() {
    // The cookie of an existing session, in an answer without a user.
    for body in [json!({}), json!({"user": {}}), json!("well done")] {
        let setup = Setup::new(Config::default()).await;
        let other = setup.install_elsewhere().await;
        other.sign_in(ADMIN).await;
        let token = refresh_token_of(&setup, &other).await;
        let install = setup.install().await;
        let cookie = format!("{COOKIE}={token}; Path=/; HttpOnly");
        let odd = answer(200, body.clone(), &[("set-cookie", &cookie)]);
        setup
            .backend
            .faults()
            .add(Fault::on("POST", "/login", odd).times(1));
        let broken = install.session.login(login(ADMIN)).await;
        broken.expect_err("the answer is not accepted");
        let ended = || setup.alive(ADMIN) == 0;
        let what = format!("the end of the session that came with {body}");
        install.passing(eventually(&what, ended)).await;
    }
}

/// The token that the session would send next, read from a refresh that is not answered.
async fn refresh_token_of(setup: &Setup, install: &Installation) -> String {
    let busy = Effect::status(503);
    setup
        .backend
        .faults()
        .add(Fault::on("POST", REFRESH, busy).before().times(1));
    let _ = install.session.refresh().await;
    let sent = setup.backend.last_request("POST", REFRESH).expect("one");
    sent.cookie(COOKIE).expect("a token").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_whose_answer_breaks_off_after_its_cookie_is_revoked() {
    for (name, effect) in breaks() {
        let setup = Setup::new(Config::default()).await;
        let install = setup.install().await;
        install.session.login(login(OTP)).await.expect("challenged");
        setup
            .backend
            .faults()
            .add(Fault::on("POST", "/verify-otp", effect).times(1));
        let code = setup.backend.last_code(OTP).expect("a code");
        let broken = vestibule_harness::verify(&install.session, Secret::new(code)).await;
        broken.expect_err("the answer broke off");
        install
            .passing(eventually(name, || setup.alive(OTP) == 0))
            .await;
    }
}

/// The sign-in breaks off while somebody is signed in, whose session stays.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_breaks_off_over_another_session_leaves_that_alone() {
    for (name, effect) in breaks() {
        let setup = Setup::new(Config::default()).await;
        let mut install = setup.install().await;
        install.sign_in(DEMO).await;
        setup
            .backend
            .faults()
            .add(Fault::on("POST", "/login", effect).times(1));
        let broken = install.session.login(login(ADMIN)).await;
        broken.expect_err("the answer broke off");
        install
            .passing(eventually(name, || setup.alive(ADMIN) == 0))
            .await;
        assert_eq!(install.settle(name).await.as_deref(), Ok(DEMO), "{name}");
        install.restart();
        assert_eq!(install.settle(name).await.as_deref(), Ok(DEMO), "{name}");
        assert_eq!(setup.alive(DEMO), 1, "{name}");
    }
}

/// The caller of the sign-in has gone: a session that begins then is used or ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_nobody_waits_for_any_more_leaves_no_session_behind() {
    for carrier in [Carrier::Cookie, Carrier::Body] {
        let setup = Setup::new(Config {
            carrier,
            ..Config::default()
        })
        .await;
        let install = setup.install().await;
        let slow = Effect::Delay { ms: 300 };
        setup
            .backend
            .faults()
            .add(Fault::on("POST", "/login", slow).after().times(1));
        let session = install.session.clone();
        let asking = tokio::spawn(async move { session.login(login(ADMIN)).await });
        eventually("the backend to have begun the session", || {
            setup.alive(ADMIN) == 1
        })
        .await;
        asking.abort();
        let used_or_ended = || is_fresh(&install.state()) || setup.alive(ADMIN) == 0;
        let what = format!("{carrier:?}: used or ended");
        install.passing(eventually(&what, used_or_ended)).await;
    }
}

/// The sign-in is cancelled while the answer is on its way.
#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_given_up_while_its_code_is_under_way_leaves_no_session_behind() {
    for signs_out in [false, true] {
        let setup = Setup::new(Config::default()).await;
        let install = setup.install().await;
        install.session.login(login(OTP)).await.expect("challenged");
        let slow = Effect::Delay { ms: 300 };
        setup
            .backend
            .faults()
            .add(Fault::on("POST", "/verify-otp", slow).after().times(1));
        let code = setup.backend.last_code(OTP).expect("a code");
        let session = install.session.clone();
        let verifying =
            tokio::spawn(
                async move { vestibule_harness::verify(&session, Secret::new(code)).await },
            );
        eventually("the backend to have begun the session", || {
            setup.alive(OTP) == 1
        })
        .await;
        if signs_out {
            install.session.logout().await;
        } else {
            install.session.cancel_otp();
        }
        verifying.await.expect("ends").expect_err("given up");
        install
            .passing(eventually("its end", || setup.alive(OTP) == 0))
            .await;
        assert!(why(&install.state()).is_some(), "nobody is signed in");
    }
}
