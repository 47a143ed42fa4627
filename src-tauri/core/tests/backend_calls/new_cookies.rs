//! A call that changes the session, such as a change of the password, brings a new session cookie.
//! The core uses it even if the page that made the call is gone.

use std::sync::Arc;

use crate::host::{Arrival, Host};
use crate::{Desk, WINDOW, post};
use vestibule_harness::*;

const NUMBER: u64 = 1 << 20 | 1;

/// When the page ends the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// The backend has received the call and has not answered.
    Asked,
    /// The head of the answer has arrived, and the keyring is slow.
    Answered,
    /// The body is arriving.
    Reading,
}

/// How the page ends the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// The page reloads, or its window closes.
    Leaves,
    /// It aborts the call.
    Cancels,
}

/// The kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Call,
    Upload,
}

async fn desk() -> (Arc<Host>, Desk) {
    let host = Host::start().await;
    let desk = Desk::at(&host.url, |profile| profile.cookies.with_api = true).await;
    (host, desk)
}

async fn arrival(host: &Host, wanted: &str) -> Arrival {
    let arrival = soon(wanted, host.arrival()).await;
    assert!(arrival.head.starts_with(wanted), "{}", arrival.head);
    arrival
}

fn head(length: usize) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nset-cookie: \
         {COOKIE}=the-new-one; Path=/; HttpOnly\r\nconnection: close\r\ncontent-length: \
         {length}\r\n\r\n"
    )
}

async fn answer_refresh(mut refresh: Arrival) {
    let body = success().to_string();
    let length = body.len();
    refresh
        .say(&format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\
             connection: close\r\n\r\n{body}"
        ))
        .await;
}

async fn check(when: When, how: How, what: What) {
    let name = format!("{what:?} {how:?} {when:?}");
    let (host, desk) = desk().await;
    let asking = match what {
        What::Call => {
            let (calls, session) = (desk.calls.clone(), desk.session.clone());
            tokio::spawn(async move {
                let _ = calls.fetch(WINDOW, NUMBER, &session, get("/me")).await;
            })
        }
        What::Upload => {
            desk.upload(NUMBER, &post("/transfer", Some(2), false))
                .expect("begun");
            desk.give(NUMBER, b"{}").await;
            let calls = desk.calls.clone();
            tokio::spawn(async move {
                let _ = calls.answer(WINDOW, NUMBER).await;
            })
        }
    };
    let wanted = match what {
        What::Call => "GET /me",
        What::Upload => "POST /transfer",
    };
    let mut call = arrival(&host, wanted).await;
    if when != When::Asked {
        if when == When::Answered {
            desk.store.block(Block::Hang);
        }
        call.say(&head(4)).await;
        match when {
            When::Answered => eventually("the keyring is asked", || desk.store.waiting() > 0).await,
            _ => call.say("{").await,
        }
    }
    match how {
        How::Leaves => desk.calls.page_left(WINDOW),
        How::Cancels => desk.calls.cancel(WINDOW, NUMBER),
    }
    let _ = soon("the page's end of the call", asking).await;
    desk.store.heal();
    if when == When::Asked {
        // The backend has handled the call by now, and answers even if nobody reads.
        let answered = call.try_say(&(head(2) + "{}")).await;
        assert!(answered, "{name}: somebody listens");
    }
    // The cookie may take a moment from the socket to the session. Each refresh shows which cookie
    // is in use, and in the end it must be the new one.
    let told = async {
        loop {
            let session = desk.session.clone();
            let mut refreshing = tokio::spawn(async move { session.refresh().await });
            // A refresh that the new cookie overtakes is sent once more, with the new cookie.
            loop {
                tokio::select! {
                    refresh = arrival(&host, "POST /refresh-token") => {
                        let is_new = refresh.head.contains("the-new-one");
                        answer_refresh(refresh).await;
                        if is_new {
                            return;
                        }
                    }
                    _ = &mut refreshing => break,
                }
            }
        }
    };
    let told = tokio::time::timeout(std::time::Duration::from_secs(5), told).await;
    assert!(told.is_ok(), "{name}: the session uses the new cookie");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_session_cookie_counts_when_the_page_goes_while_the_keyring_takes_its_time() {
    for what in [What::Call, What::Upload] {
        for how in [How::Leaves, How::Cancels] {
            check(When::Answered, how, what).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_session_cookie_counts_when_the_page_goes_before_the_answer() {
    for what in [What::Call, What::Upload] {
        for how in [How::Leaves, How::Cancels] {
            check(When::Asked, how, what).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_session_cookie_counts_when_the_page_goes_in_the_middle_of_the_body() {
    for what in [What::Call, What::Upload] {
        for how in [How::Leaves, How::Cancels] {
            check(When::Reading, how, what).await;
        }
    }
}

/// The body breaks off, but the cookie was in the headers.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_session_cookie_counts_when_its_body_breaks_off() {
    let (host, desk) = desk().await;
    let session = desk.session.clone();
    let asking = tokio::spawn(async move { session.fetch(get("/me")).await });
    let mut call = arrival(&host, "GET /me").await;
    call.say(&head(100)).await;
    drop(call);
    let broken = soon("the call", asking).await.expect("ends");
    broken.expect_err("the body broke off");
    let session = desk.session.clone();
    let refreshing = tokio::spawn(async move { session.refresh().await });
    let refresh = arrival(&host, "POST /refresh-token").await;
    assert!(refresh.head.contains("the-new-one"), "{}", refresh.head);
    answer_refresh(refresh).await;
    let refreshed = soon("a refresh", refreshing).await.expect("ends");
    refreshed.expect("refreshed");
}
