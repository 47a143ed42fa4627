//! What another program of this computer, a page in its browser and a false provider try.

use serde_json::json;
use vestibule_backend::{Config, Effect, Fault};
use vestibule_core::ErrorCode;
use vestibule_core::wire::{SignInOutcome, SignedOutReason};
use vestibule_harness::{ADMIN, DEMO, alive, code, eventually, login, user, why};

use super::{
    App, Attempt, TOKEN, approve, approve_as_demo, browser, outcome, parameter, shown, visit,
    with_parameter,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_race_for_the_redirect_without_the_state_changes_nothing() {
    let app = App::new().await;
    let attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    let back = approve_as_demo(&address).await;
    let state = parameter(&back, "state").expect("a state");
    let shorter = &state[1..];
    for forged in [
        with_parameter(&back, "state", None),
        with_parameter(&back, "state", Some("")),
        with_parameter(&back, "state", Some(shorter)),
        with_parameter(&back, "state", Some(&format!("{state}x"))),
        with_parameter(&back, "state", Some(&state.to_lowercase())),
        back.join("/callback").unwrap(),
        back.join("/").unwrap(),
        back.join("/done").unwrap(),
        back.join(&format!("/callback/x?{}", back.query().unwrap()))
            .unwrap(),
        back.join(&format!("/callback?state={state}&state={state}&code=a"))
            .unwrap(),
        back.join(&format!("/callback?state={state}&code=a&code=b"))
            .unwrap(),
    ] {
        let answer = visit(&forged).await;
        assert_eq!((answer.status, answer.body.as_str()), (404, ""), "{forged}");
    }
    assert_eq!(app.backend().requests("POST", TOKEN), 0);
    assert!(app.pending().is_some(), "it goes on");
    assert_eq!(visit(&back).await.status, 303);
    assert_eq!(outcome(attempt).await, Ok(SignInOutcome::SignedIn));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_under_another_name_does_not_get_through() {
    let app = App::new().await;
    let attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    let back = approve_as_demo(&address).await;
    let port = back.port().expect("a port");
    for host in [
        "evil.example".into(),
        format!("evil.example:{port}"),
        format!("localhost:{port}"),
        "127.0.0.1".into(),
    ] {
        let request = browser().get(back.clone()).header("host", host.clone());
        assert_eq!(shown(request).await.status, 404, "{host}");
    }
    for request in [
        browser().post(back.clone()),
        browser().head(back.clone()),
        browser().put(back.clone()),
    ] {
        assert_eq!(shown(request).await.status, 404, "a page cannot post here");
    }
    assert!(app.pending().is_some());
    visit(&back).await;
    assert_eq!(outcome(attempt).await, Ok(SignInOutcome::SignedIn));
}

/// They can read the address that the browser opens among the arguments of programs.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn another_user_of_this_computer_is_not_heard() {
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    let app = App::new().await;
    let attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    let theirs = approve(&address, ADMIN).await;
    let (port, target) = (
        theirs.port().expect("a port"),
        &theirs[url::Position::BeforePath..],
    );
    let script = format!(
        "exec 3<>/dev/tcp/127.0.0.1/{port}; \
         printf '%s\\r\\n' 'GET {target} HTTP/1.1' 'Host: 127.0.0.1:{port}' '' >&3; cat <&3"
    );
    let asked = tokio::task::spawn_blocking(move || {
        let mut other = Command::new("bash");
        other.args(["-c", &script]).current_dir("/");
        other.uid(65534).gid(65534).output()
    });
    match asked.await.expect("it does not panic") {
        Ok(output) => {
            let answer = String::from_utf8_lossy(&output.stdout);
            assert!(answer.starts_with("HTTP/1.1 403 "), "{answer} {output:?}");
            assert_eq!(app.backend().requests("POST", TOKEN), 0);
            assert!(app.pending().is_some_and(|it| !it.returned), "it goes on");
        }
        // Only root can play another user.
        Err(error) => assert_eq!(
            error.kind(),
            std::io::ErrorKind::PermissionDenied,
            "{error}"
        ),
    }
    visit(&approve_as_demo(&address).await).await;
    assert_eq!(outcome(attempt).await, Ok(SignInOutcome::SignedIn));
    assert_eq!(app.email(), Some(DEMO.into()), "who runs the app is heard");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_or_foreign_code_is_worth_nothing() {
    // The attacker has a code of a sign-in of their own, and knows the state.
    let (app, theirs) = (App::new().await, App::new().await);
    let attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    let _other = theirs.click();
    let their_address = theirs.install.desktop.opening(1).await;
    let their_code = parameter(&approve(&their_address, ADMIN).await, "code").expect("a code");
    let back = approve_as_demo(&address).await;
    visit(&with_parameter(&back, "code", Some(&their_code))).await;
    let failed = outcome(attempt).await;
    assert_eq!(
        code(&failed),
        Some(ErrorCode::BrowserSignInRefused),
        "the verifier is another"
    );
    assert_eq!(why(&app.state()), Some(SignedOutReason::Never));
    assert_eq!(app.install.item(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_another_issuer_is_not_used() {
    for issuer in [Some("https://evil.example"), Some(""), None] {
        let app = App::new().await;
        let attempt = app.click();
        let address = app.install.desktop.opening(1).await;
        let back = approve_as_demo(&address).await;
        visit(&with_parameter(&back, "iss", issuer)).await;
        let failed = outcome(attempt).await;
        assert_eq!(
            code(&failed),
            Some(ErrorCode::BrowserSignInRefused),
            "{issuer:?}"
        );
        assert_eq!(
            app.backend().requests("POST", TOKEN),
            0,
            "the code stays unused"
        );
    }
}

/// Without discovery nobody says how the provider writes its name, but its endpoints are known.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_another_issuer_is_not_used_without_discovery_either() {
    for (issuer, is_used) in [
        (Some("https://evil.example"), false),
        (Some(""), false),
        (Some("own"), true),
        (None, true),
    ] {
        let app = App::with_profile(Config::default(), super::oauth2).await;
        let own = format!("{}/realm", app.backend().url());
        let attempt = app.click();
        let address = app.install.desktop.opening(1).await;
        let back = approve_as_demo(&address).await;
        let said = issuer.map(|issuer| {
            if issuer == "own" {
                own.as_str()
            } else {
                issuer
            }
        });
        visit(&with_parameter(&back, "iss", said)).await;
        let ended = outcome(attempt).await;
        assert_eq!(ended.is_ok(), is_used, "{issuer:?}: {ended:?}");
        let asked = app.backend().requests("POST", TOKEN);
        assert_eq!(asked, usize::from(is_used), "{issuer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_codes_the_first_counts() {
    let app = App::new().await;
    let attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    let (first, second) = (
        approve_as_demo(&address).await,
        approve(&address, ADMIN).await,
    );
    let status = async |address: &url::Url| {
        let answer = browser().get(address.clone()).send().await;
        answer.map(|it| it.status().as_u16()).ok()
    };
    let (one, two) = tokio::join!(status(&first), status(&second));
    let taken = [one, two].iter().filter(|it| **it == Some(303)).count();
    assert_eq!(taken, 1, "{one:?} {two:?}");
    assert_eq!(outcome(attempt).await, Ok(SignInOutcome::SignedIn));
    let exchanged = app.backend().requests("POST", TOKEN);
    assert_eq!(exchanged, 1);
    assert!(user(&app.state()).is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_provider_refuses_in_words() {
    for (error, description, words) in [
        ("access_denied", Some("<b>no</b>"), "You cancelled"),
        ("server_error", None, "had a problem"),
        (
            "temporarily_unavailable",
            Some("back at ten"),
            "back at ten",
        ),
        ("invalid_scope", Some("unknown scope"), "unknown scope"),
        (
            "unheard_of",
            Some("line\u{202e}one\ntwo"),
            "refused the sign-in",
        ),
    ] {
        let app = App::new().await;
        let attempt = app.click();
        let address = app.install.desktop.opening(1).await;
        let back = approve_as_demo(&address).await;
        let mut back = with_parameter(&back, "code", None);
        back.query_pairs_mut().append_pair("error", error);
        if let Some(description) = description {
            back.query_pairs_mut()
                .append_pair("error_description", description);
        }
        visit(&back).await;
        let failed = outcome(attempt).await.expect_err("refused");
        assert_eq!(failed.code, ErrorCode::BrowserSignInRefused, "{error}");
        assert!(
            failed.message.contains(words),
            "{error}: {}",
            failed.message
        );
        let odd = failed
            .message
            .chars()
            .any(|c| c.is_control() || vestibule_core::is_invisible(c));
        assert!(!odd, "{}", failed.message);
        assert_eq!(app.pending(), None);
    }
}

/// Either without a value counts as left out, as in a request (RFC 6749 §3.1).
#[tokio::test(flavor = "multi_thread")]
async fn an_empty_code_or_error_is_none() {
    let app = App::new().await;
    let attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    let back = approve_as_demo(&address).await;
    visit(&with_parameter(&back, "code", Some(""))).await;
    let failed = outcome(attempt).await.expect_err("there is no code");
    assert_eq!(failed.code, ErrorCode::BrowserSignInRefused);
    assert!(failed.message.contains("no sense"), "{}", failed.message);
    assert_eq!(
        app.backend().requests("POST", TOKEN),
        0,
        "nothing is exchanged"
    );

    let attempt = app.click();
    let address = app.install.desktop.opening(2).await;
    let back = with_parameter(&approve_as_demo(&address).await, "error", Some(""));
    visit(&back).await;
    assert_eq!(outcome(attempt).await, Ok(SignInOutcome::SignedIn));
}

/// A sign-in whose code is exchanged, by a provider that takes its time for the answer.
async fn exchanging(app: &App) -> Attempt {
    let slow = Effect::Delay { ms: 1500 };
    app.backend()
        .faults()
        .add(Fault::on("POST", TOKEN, slow).times(1));
    let attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    visit(&approve_as_demo(&address).await).await;
    app.backend().reached("POST", TOKEN, 1).await;
    attempt
}

/// The late answer signs nobody in, and what it has brought ends at the provider.
async fn comes_to_nothing(app: &App, attempt: Attempt) {
    assert_eq!(
        code(&outcome(attempt).await),
        Some(ErrorCode::BrowserSignInOver)
    );
    late_session_ends(app).await;
}

async fn late_session_ends(app: &App) {
    eventually("the late session to be over", || {
        app.backend().requests("POST", "/oidc/revoke") >= 1 && alive(app.backend(), DEMO) == 0
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_meanwhile_revokes_what_comes_late() {
    let app = App::new().await;
    let attempt = exchanging(&app).await;
    app.install.session.logout().await;
    comes_to_nothing(&app, attempt).await;
    assert_eq!(why(&app.state()), Some(SignedOutReason::ByUser));
    assert_eq!(app.install.item(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_meanwhile_revokes_what_comes_late() {
    let app = App::new().await;
    let attempt = exchanging(&app).await;
    app.install.session.cancel_browser_sign_in();
    assert_eq!(app.pending(), None, "it is over at once");
    comes_to_nothing(&app, attempt).await;
    assert_eq!(why(&app.state()), Some(SignedOutReason::Never));
    assert_eq!(app.install.item(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_sign_in_meanwhile_revokes_what_comes_late() {
    let app = App::new().await;
    let attempt = exchanging(&app).await;
    let newer = app.click();
    let address = app.install.desktop.opening(2).await;
    comes_to_nothing(&app, attempt).await;
    assert!(app.pending().is_some(), "the newer one goes on");
    visit(&approve(&address, ADMIN).await).await;
    assert_eq!(outcome(newer).await, Ok(SignInOutcome::SignedIn));
    assert_eq!(app.email(), Some(ADMIN.into()));
    assert_eq!(alive(app.backend(), ADMIN), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_meanwhile_revokes_what_comes_late() {
    let app = App::new().await;
    let attempt = exchanging(&app).await;
    // It waits for the exchange, and is the later of the two.
    app.install.sign_in(ADMIN).await;
    let _ = outcome(attempt).await;
    late_session_ends(&app).await;
    assert_eq!(app.email(), Some(ADMIN.into()));
    assert_eq!((app.pending(), alive(app.backend(), ADMIN)), (None, 1));
}

/// A sign-in whose browser is back, and which waits for a password that is being checked.
async fn waiting_for_a_password(app: &App) -> (Attempt, Attempt) {
    let slow = Effect::Delay { ms: 1500 };
    app.backend()
        .faults()
        .add(Fault::on("POST", "/login", slow).times(1));
    let attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    let session = app.install.session.clone();
    let password = tokio::spawn(async move { session.login(login("nobody@example.com")).await });
    app.backend().reached("POST", "/login", 1).await;
    visit(&approve_as_demo(&address).await).await;
    eventually("the browser to be back", || {
        app.install.desktop.fronts() == 1
    })
    .await;
    (attempt, password)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_given_up_while_it_waits_for_a_password_exchanges_no_code() {
    for by_sign_out in [false, true] {
        let app = App::new().await;
        let (attempt, password) = waiting_for_a_password(&app).await;
        match by_sign_out {
            true => drop(app.install.session.logout().await),
            false => app.install.session.cancel_browser_sign_in(),
        }
        assert_eq!(
            code(&outcome(attempt).await),
            Some(ErrorCode::BrowserSignInOver)
        );
        let _ = outcome(password).await;
        assert_eq!(app.backend().requests("POST", TOKEN), 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_one_does_not_let_the_one_before_exchange_its_code() {
    let app = App::new().await;
    let (attempt, password) = waiting_for_a_password(&app).await;
    let newer = app.click();
    assert_eq!(
        code(&outcome(attempt).await),
        Some(ErrorCode::BrowserSignInOver)
    );
    let _ = outcome(password).await;
    let address = app.install.desktop.opening(2).await;
    visit(&approve(&address, ADMIN).await).await;
    assert_eq!(outcome(newer).await, Ok(SignInOutcome::SignedIn));
    assert_eq!(app.backend().requests("POST", TOKEN), 1);
    assert_eq!(app.email(), Some(ADMIN.into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_was_used_says_so() {
    let app = App::new().await;
    let attempt = app.click();
    let address = app.install.desktop.opening(1).await;
    let used = vestibule_harness::answer(
        400,
        json!({"error": "invalid_grant", "error_description": "used"}),
        &[],
    );
    app.backend()
        .faults()
        .add(Fault::on("POST", TOKEN, used).times(1));
    visit(&approve_as_demo(&address).await).await;
    let failed = outcome(attempt).await.expect_err("refused");
    assert!(failed.message.contains("Start again"), "{}", failed.message);
}
