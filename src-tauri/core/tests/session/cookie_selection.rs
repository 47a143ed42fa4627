//! A session cookie is identified by its name, domain and path: a backend that moves its cookie to
//! another path and deletes the old one deletes only that, and cookies with two paths are two.

use serde_json::json;
use vestibule_backend::{Config, Effect, Fault};
use vestibule_core::wire::SignInOutcome;
use vestibule_harness::*;

/// A success that sets these cookies in this order. The header names differ in case because they
/// are keys of a map; on the wire they are one header.
fn with_cookies(cookies: &[&str]) -> Effect {
    const NAMES: [&str; 4] = ["Set-Cookie", "Set-cookie", "set-Cookie", "set-cookie"];
    let headers: Vec<_> = NAMES.into_iter().zip(cookies.iter().copied()).collect();
    assert_eq!(headers.len(), cookies.len(), "one name for each cookie");
    answer(200, success(), &headers)
}

/// The cookies of the latest request to this endpoint.
fn sent_to(setup: &Setup, path: &str) -> Vec<String> {
    let sent = setup.backend.last_request("POST", path).expect("one");
    let line = sent.header("cookie").unwrap_or_default().to_owned();
    line.split("; ")
        .filter(|pair| pair.starts_with(COOKIE))
        .map(|pair| pair[COOKIE.len() + 1..].to_owned())
        .collect()
}

/// A sign-in or a refresh that is answered with these cookies.
async fn answered(at: &str, cookies: &[&str]) -> (Setup, Installation) {
    let setup = Setup::new(Config::default()).await;
    let install = setup.install().await;
    let fault = |path| Fault::on("POST", path, with_cookies(cookies)).times(1);
    match at {
        "/login" => {
            setup.backend.faults().add(fault("/login"));
            let outcome = install.session.login(login(DEMO)).await;
            assert_eq!(outcome, Ok(SignInOutcome::SignedIn), "{cookies:?}");
        }
        _ => {
            install.sign_in(DEMO).await;
            setup.backend.faults().add(fault(REFRESH));
            let refreshed = install.session.refresh().await;
            assert_eq!(refreshed, Ok(()), "{cookies:?}");
        }
    }
    assert!(is_fresh(&install.state()), "{at}, {cookies:?}");
    (setup, install)
}

/// Checks which cookies the next refresh and the sign-out after it carry, in this process or in the
/// next.
async fn check(at: &str, cookies: &[&str], refresh: &[&str], logout: &[&str]) {
    for restarts in [false, true] {
        let name = format!("{at}, {cookies:?}, after a restart: {restarts}");
        let (setup, mut install) = answered(at, cookies).await;
        // The backend does not know these cookies, so it must not answer.
        let busy = Effect::status(503);
        setup.backend.faults().add(Fault::on("POST", REFRESH, busy));
        let before = setup.backend.requests("POST", REFRESH);
        if restarts {
            install.restart();
        } else {
            let _ = install.session.refresh().await;
        }
        // A request can be examined once its body was read.
        let read = || setup.backend.recent_requests("POST", REFRESH).len() > before;
        install.passing(eventually("a refresh", read)).await;
        assert_eq!(sent_to(&setup, REFRESH), refresh, "{name}");
        install.session.logout().await;
        let read = || !setup.backend.recent_requests("POST", "/logout").is_empty();
        install.passing(eventually("a sign-out", read)).await;
        assert_eq!(sent_to(&setup, "/logout"), logout, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_that_is_taken_back_elsewhere_is_not_this_one() {
    let gone = format!("{COOKIE}=; Path=/auth; Max-Age=0");
    let stays = format!("{COOKIE}=r2; Path=/; HttpOnly");
    for at in ["/login", REFRESH] {
        check(at, &[&stays, &gone], &["r2"], &["r2"]).await;
        check(at, &[&gone, &stays], &["r2"], &["r2"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_that_moves_is_the_new_one_only() {
    // The test's backend sets its own cookie for `/`, which is deleted here and set elsewhere.
    let gone = format!("{COOKIE}=; Path=/; Max-Age=0");
    let moved = format!("{COOKIE}=r2; Path=/refresh-token; HttpOnly");
    check(REFRESH, &[&gone, &moved], &["r2"], &[]).await;
    check(REFRESH, &[&moved, &gone], &["r2"], &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_of_two_paths_goes_where_each_path_says() {
    let one = format!("{COOKIE}=for-refresh; Path=/refresh-token; HttpOnly");
    let two = format!("{COOKIE}=for-logout; Path=/logout; HttpOnly");
    for cookies in [[&one, &two], [&two, &one]] {
        let cookies = cookies.map(String::as_str);
        check("/login", &cookies, &["for-refresh"], &["for-logout"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn longer_paths_go_first_and_then_the_older() {
    let root = format!("{COOKIE}=root; Path=/; HttpOnly");
    let long = format!("{COOKIE}=long; Path=/refresh-token; HttpOnly");
    check("/login", &[&root, &long], &["long", "root"], &["root"]).await;
    check("/login", &[&long, &root], &["long", "root"], &["root"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_that_is_renewed_leaves_the_other() {
    let one = format!("{COOKIE}=for-refresh; Path=/refresh-token; HttpOnly");
    let two = format!("{COOKIE}=for-logout; Path=/logout; HttpOnly");
    let (setup, install) = answered("/login", &[&one, &two]).await;
    let renewed = format!("{COOKIE}=for-refresh-2; Path=/refresh-token; HttpOnly");
    setup.backend.faults().add(
        Fault::on("POST", REFRESH, with_cookies(&[&renewed]))
            .before()
            .times(1),
    );
    install.session.refresh().await.expect("refreshed");
    install.session.logout().await;
    install
        .passing(setup.backend.received("POST", "/logout", 1))
        .await;
    assert_eq!(sent_to(&setup, "/logout"), ["for-logout"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_of_two_that_is_taken_back_does_not_end_the_session() {
    let one = format!("{COOKIE}=for-refresh; Path=/refresh-token; HttpOnly");
    let two = format!("{COOKIE}=for-logout; Path=/logout; HttpOnly");
    let (setup, mut install) = answered("/login", &[&one, &two]).await;
    let gone = format!("{COOKIE}=; Path=/logout; Max-Age=0");
    setup.backend.faults().add(
        Fault::on("POST", REFRESH, with_cookies(&[&gone]))
            .before()
            .times(1),
    );
    install.session.refresh().await.expect("refreshed");
    assert!(is_fresh(&install.state()));
    let busy = Effect::status(503);
    setup.backend.faults().add(Fault::on("POST", REFRESH, busy));
    install.restart();
    install
        .passing(setup.backend.received("POST", REFRESH, 2))
        .await;
    assert_eq!(sent_to(&setup, REFRESH), ["for-refresh"]);
}

/// A window's calls carry the cookies for their path, and no others.
#[tokio::test(flavor = "multi_thread")]
async fn calls_carry_what_their_path_says() {
    let setup =
        Setup::with_profile(Config::default(), json!({"cookies": {"with_api": true}})).await;
    let install = setup.install().await;
    let root = format!("{COOKIE}=root; Path=/; HttpOnly");
    let me = format!("{COOKIE}=me; Path=/me; HttpOnly");
    setup
        .backend
        .faults()
        .add(Fault::on("POST", "/login", with_cookies(&[&root, &me])).times(1));
    install.session.login(login(DEMO)).await.expect("signed in");
    for (path, wanted) in [("/me", vec!["me", "root"]), ("/plans", vec!["root"])] {
        let busy = Effect::status(503);
        setup.backend.faults().add(Fault::on("GET", path, busy));
        let _ = install.session.fetch(get(path)).await;
        let sent = setup.backend.last_request("GET", path).expect("one");
        let line = sent.header("cookie").unwrap_or_default().to_owned();
        let values: Vec<_> = line
            .split("; ")
            .filter_map(|pair| pair.strip_prefix(&format!("{COOKIE}=")))
            .map(str::to_owned)
            .collect();
        assert_eq!(values, wanted, "{path}");
    }
}
