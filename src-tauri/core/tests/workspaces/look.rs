//! A look at an address: what it sends, what it finds, and what it leaves alone.

use serde_json::json;
use vestibule_backend::{Config, Cut, Effect, Fault};
use vestibule_core::transport::NetworkSettings;
use vestibule_core::workspaces::address;
use vestibule_core::{ErrorCode, Obstacle};
use vestibule_harness::{answer, refusal, start_backend, success};

use crate::{Silent, look, open};

const REFRESH: &str = "/refresh-token";
const LOGIN: &str = "/login";

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_of_this_app_fits_and_learns_nothing_of_a_person() {
    let backend = start_backend(Config::default()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let workspaces = open(json!({}), folder.path());
    let typed = format!("  HTTP://127.0.0.1:{}/de/login?next=/#x ", backend.port());
    let found = look(&workspaces, &typed).await.expect("an address");
    assert!(found.fits, "{found:?}");
    assert_eq!(found.address, backend.url().trim_end_matches('/'));
    assert_eq!(found.host, format!("127.0.0.1:{}", backend.port()));
    assert!(!found.disguised);
    assert_eq!(found.known, None);
    assert!(found.finding.ends_with('.'), "{found:?}");

    assert_eq!(backend.all_requests(), 2, "two requests");
    let refresh = backend.last_request("POST", REFRESH).expect("one of them");
    let cookie = refresh
        .cookie("__refresh_token")
        .expect("an invented token");
    assert!(cookie.starts_with("vestibule-looks-"), "{cookie}");
    let login = backend.last_request("POST", LOGIN).expect("the other");
    assert_eq!(login.cookie("__refresh_token"), None);
    assert_eq!(
        crate::names(&workspaces),
        ["default"],
        "a look adds nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_contacted_before_the_look() {
    let silent = Silent::new();
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(
        folder.path().join("added.json"),
        json!({"format": 1, "workspaces": [{"address": silent.address()}]}).to_string(),
    )
    .expect("written");
    let workspaces = open(json!({}), folder.path());
    let all = workspaces.all();
    assert_eq!(all.len(), 2, "{all:?}");
    workspaces.section_of(&all[1].id).expect("it is there");
    address::parse(&silent.address()).expect("an address");
    workspaces
        .add(&silent.address())
        .expect("it was added before");
    let found = look(&workspaces, &silent.address()).await.expect("known");
    assert_eq!(found.known.as_ref(), Some(&all[1].id), "{found:?}");
    workspaces.remove(&all[1].id).expect("it is removed");
    let error = workspaces
        .add(&silent.address())
        .expect_err("nobody looked at it");
    assert_eq!(error.code, ErrorCode::InvalidInput, "{error}");
    assert_eq!(silent.connections(), 0);

    // The listener hears what there is to hear.
    let found = look(&workspaces, &silent.address())
        .await
        .expect("an address");
    assert!(!found.fits, "{found:?}");
    assert_eq!(found.finding, Obstacle::BrokenOff.sentences());
    assert!(silent.connections() > 0);
    workspaces
        .add(&silent.address())
        .expect_err("it does not fit");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_address_is_refused_before_anything_is_sent() {
    let silent = Silent::new();
    let folder = tempfile::tempdir().expect("a folder");
    let workspaces = open(json!({}), folder.path());
    for typed in [
        format!("http://ada:secret@127.0.0.1:{}", silent.port),
        format!("ada@127.0.0.1:{}", silent.port),
        format!("ftp://127.0.0.1:{}", silent.port),
        format!("http://2130706433:{}", silent.port),
        format!("http://0x7f.1:{}", silent.port),
        format!("http://127.0.0.1\\:{}", silent.port),
    ] {
        let error = look(&workspaces, &typed).await.expect_err(&typed);
        assert_eq!(error.code, ErrorCode::InvalidInput, "{typed}");
        assert!(!error.message.contains("secret"), "{error}");
    }
    assert_eq!(silent.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_to_another_origin_is_told_and_not_followed() {
    let elsewhere = Silent::new();
    for status in [301, 302, 303, 307, 308] {
        for path in [REFRESH, LOGIN] {
            let backend = start_backend(Config::default()).await;
            let redirect = Effect::Redirect {
                location: format!("{}{path}", elsewhere.address()),
                status,
            };
            backend.faults().add(Fault::on("POST", path, redirect));
            let folder = tempfile::tempdir().expect("a folder");
            let workspaces = open(json!({}), folder.path());
            let found = look(&workspaces, &backend.url()).await.expect("an address");
            assert!(!found.fits, "{status} {path}: {found:?}");
            assert!(
                !found.finding.contains("127.0.0.1"),
                "its words are ours: {found:?}"
            );
            if path == REFRESH {
                assert!(found.finding.contains("sends on to another"), "{found:?}");
                assert_eq!(backend.all_requests(), 1, "nothing more is asked");
            }
            workspaces.add(&backend.url()).expect_err("it does not fit");
        }
    }
    assert_eq!(elsewhere.connections(), 0);
}

/// What answers, and words of what a person is told of it.
fn strangers() -> Vec<(&'static str, &'static str, Effect, String)> {
    let page = "A web page answers there";
    let stranger = "not as a server for this app does";
    let json = |status, body| answer(status, body, &[]);
    let of = |obstacle: Obstacle| obstacle.sentences();
    vec![
        ("a site", REFRESH, Effect::Html { status: 200 }, page.into()),
        (
            "no such page",
            REFRESH,
            Effect::Html { status: 404 },
            stranger.into(),
        ),
        (
            "a page that refuses",
            REFRESH,
            Effect::Html { status: 401 },
            stranger.into(),
        ),
        (
            "no such path",
            REFRESH,
            refusal(404, "NOT_FOUND"),
            stranger.into(),
        ),
        (
            "no such method",
            REFRESH,
            refusal(405, "NO"),
            stranger.into(),
        ),
        ("forbidden", REFRESH, refusal(403, "NO"), stranger.into()),
        (
            "JSON",
            REFRESH,
            json(200, json!({"ok": true})),
            stranger.into(),
        ),
        (
            "nothing",
            REFRESH,
            Effect::Empty { status: 200 },
            stranger.into(),
        ),
        (
            "a session for anybody",
            REFRESH,
            json(200, success()),
            stranger.into(),
        ),
        (
            "too much",
            REFRESH,
            Effect::Huge { bytes: 8 << 20 },
            stranger.into(),
        ),
        (
            "a portal",
            REFRESH,
            Effect::status(511),
            of(Obstacle::Portal),
        ),
        (
            "maintenance",
            REFRESH,
            Effect::status(503),
            of(Obstacle::Maintenance),
        ),
        (
            "a gateway",
            REFRESH,
            Effect::status(502),
            of(Obstacle::Gateway),
        ),
        (
            "a fault",
            REFRESH,
            Effect::status(500),
            ErrorCode::BackendFault.message().into(),
        ),
        (
            "too often",
            REFRESH,
            Effect::status(429),
            ErrorCode::RateLimited.message().into(),
        ),
        (
            "broken off",
            REFRESH,
            Effect::Drop { cut: Cut::Close },
            of(Obstacle::BrokenOff),
        ),
        (
            "a site",
            LOGIN,
            Effect::Html { status: 200 },
            stranger.into(),
        ),
        (
            "no sign-in",
            LOGIN,
            refusal(404, "NOT_FOUND"),
            stranger.into(),
        ),
        (
            "a sign-in for anybody",
            LOGIN,
            json(200, success()),
            stranger.into(),
        ),
        (
            "too often",
            LOGIN,
            Effect::status(429),
            ErrorCode::RateLimited.message().into(),
        ),
        (
            "a gateway",
            LOGIN,
            Effect::status(504),
            of(Obstacle::Gateway),
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_something_else_does_not_fit() {
    let backend = start_backend(Config::default()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let workspaces = open(json!({}), folder.path());
    for (name, path, effect, words) in strangers() {
        backend.faults().clear();
        backend.faults().add(Fault::on("POST", path, effect));
        let before = backend.all_requests();
        let found = look(&workspaces, &backend.url()).await.expect("an address");
        assert!(!found.fits, "{name} at {path}: {found:?}");
        assert!(
            found.finding.contains(&words),
            "{name} at {path}: {found:?}"
        );
        assert!(backend.all_requests() - before <= 2, "{name} at {path}");
        let refused = workspaces.add(&backend.url());
        assert!(refused.is_err(), "{name} at {path}");
    }
    // The newest look counts.
    backend.faults().clear();
    assert!(
        look(&workspaces, &backend.url())
            .await
            .expect("an address")
            .fits
    );
    backend
        .faults()
        .add(Fault::on("POST", REFRESH, Effect::Html { status: 200 }));
    assert!(
        !look(&workspaces, &backend.url())
            .await
            .expect("an address")
            .fits
    );
    workspaces
        .add(&backend.url())
        .expect_err("it fitted only before");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_whose_name_is_not_ascii_can_look_too() {
    let backend = start_backend(Config::default()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let workspaces = open(json!({}), folder.path());
    let (typed, product) = (backend.url(), "Вестибюль 0.1.0");
    let look = workspaces.look(&typed, NetworkSettings::default(), product);
    let found = look.await.expect("an address");
    assert!(found.fits, "{found:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_the_server_sends_is_shown_or_named() {
    let backend = start_backend(Config::default()).await;
    let mut answer = answer(
        401,
        json!({
            "code": "TOKEN_INVALID", "message": "Your bank. Call 0123", "name": "Your bank",
            "roles": {"user": ["people.see"]}, "api": {"allow": ["/x"]},
            "backend": "https://evil.example",
        }),
        &[("set-cookie", "track=planted; Path=/")],
    );
    backend
        .faults()
        .add(Fault::on("POST", REFRESH, answer.clone()));
    if let Effect::Status { status, .. } = &mut answer {
        *status = 422;
    }
    backend.faults().add(Fault::on("POST", LOGIN, answer));
    let folder = tempfile::tempdir().expect("a folder");
    let workspaces = open(json!({}), folder.path());
    let found = look(&workspaces, &backend.url()).await.expect("an address");
    assert!(found.fits, "{found:?}");
    assert!(!found.finding.contains("bank"), "{found:?}");
    let id = workspaces.add(&found.address).expect("it fits");
    let added = workspaces.all().pop().expect("it is the last");
    assert_eq!(added.name, found.host);
    let profile = crate::profile_of(&workspaces.section_of(&id).expect("it is there"));
    assert_eq!(profile.origin(), found.address);
    assert_eq!(profile.roles.iter().count(), 0);
    let login = backend.last_request("POST", LOGIN).expect("a request");
    assert_eq!(
        login.cookie("track"),
        None,
        "nothing is kept between the two"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_the_app_away_is_told_in_its_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let workspaces = open(json!({}), folder.path());
    let backend = start_backend(Config::default()).await;
    let plain = format!("https://127.0.0.1:{}", backend.port());
    backend.down().await;
    for (typed, obstacle) in [
        (backend.url(), Obstacle::Refused),
        // RFC 6761 reserves this name; it never has an address.
        ("nowhere.invalid".into(), Obstacle::NameUnknown),
    ] {
        let found = look(&workspaces, &typed).await.expect("an address");
        assert!(!found.fits);
        assert_eq!(found.finding, obstacle.sentences(), "{typed}");
    }
    backend.up().await.expect("the same port");
    let found = look(&workspaces, &plain).await.expect("an address");
    assert_eq!(found.finding, Obstacle::NotTls.sentences());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_is_not_contacted_and_not_added_again() {
    let silent = Silent::new();
    let folder = tempfile::tempdir().expect("a folder");
    let list = json!([{
        "id": "berlin", "name": "Berlin", "backend": format!("{}/v1", silent.address()),
        "profile": "directus",
    }]);
    let workspaces = open(json!({"workspaces": {"list": list}}), folder.path());
    for (typed, id, name) in [
        ("APP.example:443/login", "default", "app.example"),
        (silent.address().as_str(), "berlin", "Berlin"),
    ] {
        let found = look(&workspaces, typed).await.expect("an address");
        assert_eq!(found.known.as_deref(), Some(id));
        assert!(found.fits && found.finding.contains(name), "{found:?}");
        assert_eq!(workspaces.add(typed).as_deref(), Ok(id));
    }
    assert_eq!(crate::names(&workspaces), ["default", "berlin"]);
    assert_eq!(silent.connections(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nobody_may_add_nothing_is_looked_at() {
    let silent = Silent::new();
    let folder = tempfile::tempdir().expect("a folder");
    let list = json!([{"id": "berlin", "name": "Berlin", "backend": "https://berlin.example"}]);
    for workspaces in [
        json!({"adding": "one"}),
        json!({"adding": "listed", "list": list}),
    ] {
        let workspaces = open(json!({"workspaces": workspaces}), folder.path());
        assert!(!workspaces.adding());
        let error = look(&workspaces, &silent.address())
            .await
            .expect_err("not here");
        assert_eq!(error.code, ErrorCode::Unsupported, "{error}");
        let error = workspaces.add(&silent.address()).expect_err("not here");
        assert_eq!(error.code, ErrorCode::Unsupported, "{error}");
    }
    assert_eq!(silent.connections(), 0);
}

/// The paths of a shipped profile are asked, not those of the contract.
#[tokio::test(flavor = "multi_thread")]
async fn an_app_with_another_protocol_asks_by_that() {
    let backend = start_backend(Config::default()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let more = json!({"profile": "directus", "backend": "https://app.example/base"});
    let workspaces = open(more, folder.path());
    let found = look(&workspaces, &backend.url()).await.expect("an address");
    assert!(!found.fits, "{found:?}");
    assert_eq!(backend.requests("POST", "/base/auth/refresh"), 1);
    assert_eq!(backend.all_requests(), 1);
}
