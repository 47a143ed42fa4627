//! Redirects of API calls are followed a few times within the backend and the list of allowed
//! paths, and never elsewhere.

use tokio::net::TcpListener;
use vestibule_backend::{Backend, Config, Effect, Fault};
use vestibule_core::ErrorCode;
use vestibule_core::wire::{FetchRequest, UploadReply};

use crate::{Desk, WINDOW, json, post};
use vestibule_harness::*;

async fn desk() -> (Backend, Desk) {
    let backend = Backend::start(Config::default()).await.expect("a backend");
    let url = backend.url();
    let desk = Desk::at(&url, |profile| {
        let paths = ["/a", "/b", "/*"].into_iter();
        let both = paths.flat_map(|path| [path.to_owned(), format!("POST {path}")]);
        profile.api.allow.extend(both);
    });
    let desk = desk.await;
    (backend, desk)
}

fn leads(backend: &Backend, method: &str, path: &str, status: u16, to: &str) {
    let effect = Effect::Redirect {
        location: to.into(),
        status,
    };
    backend.faults().add(Fault::on(method, path, effect));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_arrives_where_it_is_sent_with_the_session() {
    let (backend, desk) = desk().await;
    leads(&backend, "GET", "/a", 302, "/b?x=1");
    leads(
        &backend,
        "GET",
        "/b",
        307,
        &format!("{}/me?y=2", backend.url()),
    );
    let reply = desk.fetch(1, "/a").await.expect("an answer");
    assert!(reply.body.contains(DEMO), "{}", reply.body);
    let sent = backend.last_request("GET", "/me").expect("one");
    assert_eq!(sent.query.as_deref(), Some("y=2"));
    assert!(sent.header("authorization").is_some());
    assert!(sent.cookie("vestibule_locale").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_post_turns_into_a_get_or_keeps_its_body_as_the_status_says() {
    let (backend, desk) = desk().await;
    for (status, method, with_body) in [
        (301, "GET", false),
        (302, "GET", false),
        (303, "GET", false),
        (307, "POST", true),
        (308, "POST", true),
    ] {
        backend.faults().clear();
        leads(&backend, "POST", "/a", status, "/b");
        let request = FetchRequest {
            path: "/a".into(),
            method: "POST".into(),
            headers: vec![("content-type".into(), "application/json".into())],
            body: Some("{\"a\":1}".into()),
        };
        let before = backend.requests(method, "/b");
        let reply = desk.calls.fetch(WINDOW, 1, &desk.session, request).await;
        assert_eq!(reply.expect("an answer").status, 404, "there is no /b");
        assert_eq!(backend.requests(method, "/b"), before + 1, "{status}");
        let sent = backend.last_request(method, "/b").expect("one");
        assert_eq!(sent.body.is_empty(), !with_body, "{status}");
        assert_eq!(sent.header("content-type").is_some(), with_body, "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_goes_to_the_new_place_if_it_can_be_given_again() {
    let (backend, desk) = desk().await;
    leads(&backend, "POST", "/a", 307, "/transfer");
    let body = vec![9; 60_000];
    desk.upload(1, &post("/a", Some(body.len()), true))
        .expect("begun");
    desk.give(1, &body).await;
    let again = desk.calls.answer(WINDOW, 1).await.expect("a word");
    assert!(matches!(again, UploadReply::Again));
    desk.give(1, &body).await;
    let answer = json(&desk.answer(1).await.expect("an answer"));
    assert_eq!(answer["bytes"], 60_000);

    desk.upload(2, &post("/a", Some(body.len()), false))
        .expect("begun");
    desk.give(2, &body).await;
    assert_eq!(code(&desk.answer(2).await), Some(ErrorCode::BadAnswer));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_to_another_origin() {
    let (backend, desk) = desk().await;
    let elsewhere = TcpListener::bind("127.0.0.2:0").await.expect("a port");
    let address = elsewhere.local_addr().expect("its address");
    let port = backend.port();
    for status in [301, 302, 303, 307, 308] {
        // Other origins are not the backend, and an address with a password is refused.
        for location in [
            format!("http://{address}/me"),
            format!("//{address}/me"),
            format!("\\\\{address}\\me"),
            format!("http://localhost:{port}/me"),
            format!("https://127.0.0.1:{port}/me"),
            format!("http://a:b@127.0.0.1:{port}/me"),
        ] {
            backend.faults().clear();
            leads(&backend, "GET", "/a", status, &location);
            let result = desk.fetch(1, "/a").await;
            let wanted = match location.contains('@') {
                true => ErrorCode::PathRefused,
                false => ErrorCode::BadAnswer,
            };
            assert_eq!(code(&result), Some(wanted), "{location}");
        }
    }
    let arrived =
        std::future::poll_fn(|cx| std::task::Poll::Ready(elsewhere.poll_accept(cx).is_ready()));
    assert!(!arrived.await, "no connection was made to the other origin");
    assert_eq!(backend.requests("GET", "/me"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_where_a_window_may_not_call() {
    let (backend, desk) = desk().await;
    let (logins, refreshes) = (backend.requests("POST", "/login"), 0);
    for location in [
        "/login",
        "/refresh-token",
        "/LOGOUT",
        "/x/y/z",
        "/plans/../login",
    ] {
        for status in [307, 308] {
            backend.faults().clear();
            leads(&backend, "POST", "/a", status, location);
            let request = FetchRequest {
                path: "/a".into(),
                method: "POST".into(),
                headers: Vec::new(),
                body: Some("{}".into()),
            };
            let result = desk.calls.fetch(WINDOW, 1, &desk.session, request).await;
            assert_eq!(code(&result), Some(ErrorCode::PathRefused), "{location}");
        }
    }
    assert_eq!(backend.requests("POST", "/login"), logins);
    assert_eq!(backend.requests("POST", REFRESH), refreshes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_circle_ends() {
    let (backend, desk) = desk().await;
    leads(&backend, "GET", "/a", 302, "/b");
    leads(&backend, "GET", "/b", 302, "/a");
    let result = desk.fetch(1, "/a").await;
    assert_eq!(code(&result), Some(ErrorCode::BadAnswer));
    let sent = backend.requests("GET", "/a") + backend.requests("GET", "/b");
    assert_eq!(sent, 6, "five hops");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_after_a_refresh_and_a_refresh_after_a_redirect_work() {
    let (backend, desk) = desk().await;
    leads(&backend, "GET", "/a", 302, "/me");
    backend.expire_access_tokens();
    let reply = desk.fetch(1, "/a").await.expect("an answer");
    assert!(reply.body.contains(DEMO), "{}", reply.body);
    assert_eq!(backend.requests("POST", REFRESH), 1);
}
