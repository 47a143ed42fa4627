//! A 401 to a large upload: one refresh, and one repetition if the page can send the body again.

use std::time::Duration;

use serde_json::json;
use vestibule_backend::{Backend, Config, Fault};
use vestibule_core::wire::UploadReply;

use crate::host::Host;
use crate::{Desk, WINDOW, json as read, post};
use vestibule_harness::*;

const LARGE: usize = 5 << 20;

async fn expired() -> (Backend, Desk) {
    let backend = Backend::start(Config::default()).await.expect("a backend");
    let desk = Desk::at(&backend.url(), |_| {}).await;
    backend.expire_access_tokens();
    (backend, desk)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_be_given_again_is_asked_for_once_more() {
    let (backend, desk) = expired().await;
    let body = vec![3; LARGE];
    desk.upload(1, &post("/transfer", Some(LARGE), true))
        .expect("begun");
    desk.give(1, &body).await;
    let again = desk.calls.answer(WINDOW, 1).await.expect("a word");
    assert!(matches!(again, UploadReply::Again), "{again:?}");
    desk.give(1, &body).await;
    let answer = read(&desk.answer(1).await.expect("an answer"));
    assert_eq!(answer["bytes"], LARGE);
    assert_eq!(backend.requests("POST", REFRESH), 1, "one refresh");
    let sent = backend.recent_requests("POST", "/transfer");
    assert_eq!(sent.len(), 2, "one replay");
    assert_ne!(
        sent[0].header("authorization"),
        sent[1].header("authorization")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_given_again_gets_the_refusal_and_the_next_try_works() {
    let (backend, desk) = expired().await;
    desk.upload(1, &post("/transfer", None, false))
        .expect("begun");
    desk.give(1, &vec![3; LARGE]).await;
    let reply = desk.answer(1).await.expect("an answer");
    assert_eq!(reply.status, 401);
    assert!(reply.body.contains("ACCESS_EXPIRED"), "{}", reply.body);
    assert_eq!(backend.requests("POST", "/transfer"), 1, "no replay");
    assert_eq!(
        backend.requests("POST", REFRESH),
        1,
        "the token was refreshed all the same"
    );
    desk.upload(2, &post("/transfer", None, false))
        .expect("begun");
    desk.give(2, &vec![3; LARGE]).await;
    assert_eq!(desk.answer(2).await.expect("an answer").status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_always_refuses_is_given_the_body_twice_and_no_more() {
    let (backend, desk) = expired().await;
    let refusing = Fault::on("POST", "/transfer", refusal(401, "NO"));
    backend.faults().add(refusing);
    desk.upload(1, &post("/transfer", Some(LARGE), true))
        .expect("begun");
    desk.give(1, &vec![3; LARGE]).await;
    let again = desk.calls.answer(WINDOW, 1).await.expect("a word");
    assert!(matches!(again, UploadReply::Again), "{again:?}");
    desk.give(1, &vec![3; LARGE]).await;
    assert_eq!(desk.answer(1).await.expect("an answer").status, 401);
    assert_eq!(backend.requests("POST", "/transfer"), 2);
    assert_eq!(backend.requests("POST", REFRESH), 1);
}

/// The schedule refreshes at 70 to 90 % of a token's lifetime, which this test must not confuse
/// with a refresh by the call. So there are several rounds, and in most of them the schedule is not
/// due.
#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_does_not_start_with_a_token_that_is_nearly_spent() {
    for _ in 0..6 {
        let backend = Backend::start(Config::default()).await.expect("a backend");
        backend.set_access_ttl(Duration::from_secs(400));
        let desk = Desk::at(&backend.url(), |_| {}).await;
        desk.fetch(1, "/me").await.expect("an answer");
        desk.clock.advance(Duration::from_secs(304));
        desk.upload(2, &post("/transfer", Some(1), false))
            .expect("begun");
        desk.give(2, &[1]).await;
        assert_eq!(desk.answer(2).await.expect("an answer").status, 200);
        let bearer = |method, path| {
            let sent = backend.last_request(method, path).expect("one");
            sent.header("authorization").map(str::to_owned)
        };
        assert_ne!(bearer("GET", "/me"), bearer("POST", "/transfer"));
        assert_eq!(backend.requests("POST", REFRESH), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_cannot_be_renewed_is_used_while_it_lasts() {
    let backend = Backend::start(Config::default()).await.expect("a backend");
    backend.set_access_ttl(Duration::from_secs(400));
    let desk = Desk::at(&backend.url(), |_| {}).await;
    let busy = answer(503, json!({}), &[("retry-after", "600")]);
    backend.faults().add(Fault::on("POST", REFRESH, busy));
    desk.clock.advance(Duration::from_secs(390));
    desk.upload(1, &post("/transfer", Some(1), false))
        .expect("begun");
    desk.give(1, &[1]).await;
    assert_eq!(desk.answer(1).await.expect("an answer").status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_in_between_is_not_overcome_by_a_replay() {
    let host = Host::start().await;
    let desk = Desk::at(&host.url, |_| {}).await;
    desk.upload(1, &post("/transfer", Some(4), true))
        .expect("begun");
    desk.give(1, b"body").await;
    let mut arrival = host.arrival().await;
    arrival.until_heard(b"body").await;
    desk.session.logout().await;
    let told = host.arrival().await;
    assert!(told.head.starts_with("POST /logout "), "{}", told.head);
    let no = "HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\n{}";
    let (reply, ()) = tokio::join!(desk.answer(1), arrival.say(no));
    assert_eq!(reply.expect("the refusal reaches the page").status, 401);
    assert!(host.is_idle(), "nothing was sent after that");
}
