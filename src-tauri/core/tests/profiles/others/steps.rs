//! A step before a request, and cookies whose values go into headers.

use std::io::Write;
use std::sync::{Arc, Mutex};

use vestibule_core::ErrorCode;
use vestibule_core::wire::{FetchRequest, SignInOutcome, SignedOutReason};

use super::{ANN, found_dead, name, ok, play, profile, refused_as};
use crate::played::{Played, said};
use vestibule_harness::{code, eventually, get, is_fresh};

const ORIGIN: &str = "-H Origin: http://127.0.0.1:1";
const LARAVEL_ME: &str = r#"{"id":7,"name":"Ann","email":"ann@example.com"}"#;

fn post(path: &str) -> FetchRequest {
    FetchRequest {
        method: "POST".into(),
        ..get(path)
    }
}

/// Laravel sets both cookies with every answer; that of the session is written anew each time.
fn laravel(request: &str, status: &str, n: u8, body: &str) -> String {
    let xsrf = format!("Set-Cookie: XSRF-TOKEN=x-{n}%3D; Path=/; SameSite=lax");
    let session = format!("Set-Cookie: laravel_session=s-{n}; Path=/; HttpOnly; SameSite=lax");
    said(request, status, &[&xsrf, &session], body)
}

/// A request with these two cookies.
fn laravel_request(request: &str, xsrf: u8, session: u8) -> String {
    let cookies = format!("XSRF-TOKEN=x-{xsrf}%3D; laravel_session=s-{session}");
    format!("{request} {ORIGIN} -b jar -H Cookie: {cookies}")
}

#[tokio::test(flavor = "multi_thread")]
async fn sanctums_cookies_need_a_step_and_a_header() {
    let csrf = format!("GET /sanctum/csrf-cookie {ORIGIN}");
    let login_call = |n: u8, password: &str| {
        let request = laravel_request(&format!("POST /login -H X-XSRF-TOKEN: x-{n}="), n, n);
        format!(r#"{request} -d {{"email":"ann@example.com","password":"{password}"}}"#)
    };
    let me = |xsrf: u8, session: u8| laravel_request("GET /api/user", xsrf, session);
    let orders = |xsrf: u8, session: u8| {
        let request = format!("POST /api/orders -H X-XSRF-TOKEN: x-{xsrf}=");
        laravel_request(&request, xsrf, session)
    };
    let started = format!("GET /api/user {ORIGIN} -b jar -H Cookie: laravel_session=s-6");
    let dead = r#"{"message":"Unauthenticated."}"#;
    let mut played = play(
        profile!("sanctum-spa"),
        &[
            laravel(&csrf, "204 No Content", 1, ""),
            laravel(
                &login_call(1, "wrong"),
                "422 Unprocessable Content",
                2,
                r#"{"message":"These credentials do not match our records."}"#,
            ),
            laravel(&csrf, "204 No Content", 3, ""),
            laravel(&login_call(3, "pw"), "204 No Content", 4, ""),
            laravel(&me(4, 4), "200 OK", 5, LARAVEL_ME),
            laravel(&orders(5, 4), "201 Created", 6, "{}"),
            laravel(&started, "200 OK", 7, LARAVEL_ME),
            laravel(&orders(7, 7), "201 Created", 8, "{}"),
            said(&me(8, 8), "401 Unauthorized", &[], dead),
        ],
    )
    .await;
    let input = vestibule_core::wire::LoginInput::new(ANN, "wrong");
    let refused = played.session.login(input).await;
    assert_eq!(code(&refused), Some(ErrorCode::InvalidCredentials));
    played.sign_in(ANN, "pw").await;
    assert_eq!(name(&played).as_deref(), Some("Ann"));
    assert_eq!(played.asked("/sanctum/csrf-cookie"), 2, "once for each try");
    assert_eq!(played.asked("/login"), 2);
    let reply = played.session.fetch(post("/api/orders")).await;
    assert_eq!(reply.expect("a call").status, 201, "a page may write");
    played.restart();
    played.until("the session after a start", is_fresh).await;
    let reply = played.session.fetch(post("/api/orders")).await;
    assert_eq!(reply.expect("a call").status, 201, "also after a start");
    found_dead(&played).await;
    assert_eq!(played.asked("/sanctum/csrf-cookie"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn djangos_sessions_write_with_the_cookie_that_is_kept() {
    let csrf = "GET /api/csrf/";
    let given = |name: &str, value: &str| {
        format!("Set-Cookie: {name}={value}; Path=/; Max-Age=1209600; SameSite=Lax")
    };
    let login_call = r#"POST /api/login/ -H X-CSRFToken: c-1 -b jar -H Cookie: csrftoken=c-1 -d {"username":"ann@example.com","password":"pw"}"#;
    let session = "-b jar -H Cookie: csrftoken=c-2; sessionid=s-1";
    let me = format!("GET /api/me/ {session}");
    let orders = format!("POST /api/orders/ -H X-CSRFToken: c-2 {session}");
    let logout = format!("POST /api/logout/ -H X-CSRFToken: c-2 {session}");
    let who = r#"{"pk":7,"username":"ann","email":"ann@example.com"}"#;
    let mut played = play(
        profile!("django-session"),
        &[
            said(csrf, "200 OK", &[&given("csrftoken", "c-1")], "{}"),
            said(
                login_call,
                "200 OK",
                &[&given("csrftoken", "c-2"), &given("sessionid", "s-1")],
                &format!(r#"{{"user":{who}}}"#),
            ),
            ok(&me, who),
            ok(&orders, "{}"),
            said(&logout, "204 No Content", &[], ""),
        ],
    )
    .await;
    played.sign_in(ANN, "pw").await;
    assert_eq!(name(&played).as_deref(), Some("ann"));
    played.restart();
    played.until("the session after a start", is_fresh).await;
    let reply = played.session.fetch(post("/api/orders/")).await;
    assert_eq!(reply.expect("a call").status, 200);
    played.session.logout().await;
    eventually("the sign-out", || played.asked("/api/logout/") == 1).await;
    assert_eq!(
        played.asked("/api/csrf/"),
        1,
        "the sign-in alone has a step"
    );
    played.check_no_strays();
}

/// A backend whose calls begin with a flow, as Ory Kratos has them.
const FLOWS: &str = r#"
    schema = 1
    extends = "nothing"
    name = "Flows"
    [endpoints.login]
    path = "/login?flow=$kept.flow"
    headers = { x-flow = "$kept.nonce" }
    body = { name = "$identifier", password = "$password", csrf = "$kept.nonce" }
    [endpoints.login.before]
    method = "GET"
    path = "/login/api"
    keep = { flow = "/id", nonce = "header:x-nonce" }
    [endpoints.refresh]
    body = { token = "$refresh_token", flow = "$kept.flow" }
    path = "/refresh"
    [endpoints.refresh.before]
    path = "/refresh/api"
    body = { token = "$refresh_token" }
    keep = { flow = "/id" }
    [answer]
    message = ["/message"]
    [answer.login]
    user = ["/user"]
    access_token = ["/a"]
    refresh_token = ["/r"]
    [answer.refresh]
    user = ["/user"]
    access_token = ["/a"]
    refresh_token = ["/r"]
    [user]
    id = ["/id"]
    name = ["/name"]
    [[ends]]
    status = 401
    pointer = "/dead"
    why = "revoked"
"#;

fn granted(n: u8) -> String {
    format!(r#"{{"a":"a-{n}","r":"r-{n}","user":{{"id":7,"name":"Ann"}}}}"#)
}

async fn flows(exchanges: &[String]) -> Played {
    play(("flows", FLOWS), exchanges).await
}

fn login_step() -> String {
    said(
        "GET /login/api",
        "200 OK",
        &["X-Nonce: n/1"],
        r#"{"id":"f 1"}"#,
    )
}

const FLOW_LOGIN: &str = r#"POST /login?flow=f%201 -H X-Flow: n/1 -d {"name":"ann@example.com","password":"pw","csrf":"n/1"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn what_a_step_keeps_goes_where_the_call_names_it() {
    let step = |n: u8| format!(r#"POST /refresh/api -d {{"token":"r-{n}"}}"#);
    let refresh = |n: u8| format!(r#"POST /refresh -d {{"token":"r-{n}","flow":"f-{n}"}}"#);
    let dead = r#"{"dead":true,"message":"over"}"#;
    let played = flows(&[
        login_step(),
        ok(FLOW_LOGIN, &granted(1)),
        ok(&step(1), r#"{"id":"f-1"}"#),
        ok(&refresh(1), &granted(2)),
        said(&step(2), "503 Service Unavailable", &[], "{}"),
        ok(&step(2), r#"{"id":"f-2"}"#),
        ok(&refresh(2), &granted(3)),
        said(&step(3), "401 Unauthorized", &[], dead),
    ])
    .await;
    played.sign_in(ANN, "pw").await;
    played.session.refresh().await.expect("renewed");
    let failed = played.passing(played.session.refresh()).await;
    assert_eq!(
        code(&failed),
        Some(ErrorCode::BackendFault),
        "the step's 503"
    );
    assert_eq!(played.asked("/refresh"), 1, "the call is not made");
    played
        .until("the repetition, with its step", is_fresh)
        .await;
    assert_eq!(played.kept(), "r-3");
    assert_eq!(played.asked("/refresh/api"), 3, "each try has its step");
    assert_eq!(played.asked("/refresh"), 2);
    let over = played.passing(played.session.refresh()).await;
    over.expect_err("dead");
    assert_eq!(
        played.until_signed_out().await,
        SignedOutReason::Revoked,
        "the answer to the step is the answer to the call"
    );
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_fails_gives_the_error_of_the_call() {
    let step = "GET /login/api";
    let played = flows(&[
        said(step, "429 Too Many Requests", &["Retry-After: 7"], "{}"),
        said(step, "200 OK", &[], r#"{"id":"f 1"}"#),
        said(step, "200 OK", &["X-Nonce: n/1"], "[]"),
        said(
            step,
            "302 Found",
            &["Location: https://portal.example/"],
            "",
        ),
        said(step, "500 Internal Server Error", &[], "{}"),
    ])
    .await;
    refused_as(
        &played,
        &[
            ErrorCode::RateLimited,
            ErrorCode::BadAnswer,
            ErrorCode::BadAnswer,
            ErrorCode::BadAnswer,
            ErrorCode::BackendFault,
        ],
    )
    .await;
    assert_eq!(played.asked("/login?flow=f%201"), 0, "no password goes out");
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_is_found_with_its_step() {
    let played = flows(&[login_step(), ok(FLOW_LOGIN, &granted(1))]).await;
    let input = || vestibule_core::wire::LoginInput::new(ANN, "pw");
    let signed_in = played.session.login(input()).await;
    assert_eq!(signed_in, Ok(SignInOutcome::SignedIn));
    assert_eq!(
        (
            played.asked("/login/api"),
            played.asked("/login?flow=f%201")
        ),
        (1, 1)
    );
}

/// The lines that the log gets while `future` runs on this thread.
async fn logged<T>(future: impl Future<Output = T>) -> (T, String) {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let done = future.await;
    let bytes = lines.0.lock().expect("a lock").clone();
    (done, String::from_utf8_lossy(&bytes).into_owned())
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("a lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

// On one thread, so that the log of the whole session is this test's.
#[tokio::test]
async fn what_a_step_keeps_is_not_in_the_log() {
    let (flow, nonce) = ("flow-that-nobody-may-see", "nonce-that-nobody-may-see");
    let step = said(
        "GET /login/api",
        "200 OK",
        &[&format!("X-Nonce: {nonce}")],
        &format!(r#"{{"id":"{flow}"}}"#),
    );
    let call = format!(
        r#"POST /login?flow={flow} -H X-Flow: {nonce} -d {{"name":"ann@example.com","password":"pw","csrf":"{nonce}"}}"#
    );
    let refused = format!(r#"{{"message":"{flow} and {nonce} do not fit"}}"#);
    let exchanges = [
        step,
        said(&call, "422 Unprocessable Content", &[], &refused),
    ];
    let (error, log) = logged(async {
        let played = flows(&exchanges).await;
        let input = vestibule_core::wire::LoginInput::new(ANN, "pw");
        let error = played.session.login(input).await.expect_err("refused");
        played.check_no_strays();
        error
    })
    .await;
    assert!(
        log.contains("/login?flow=$kept.flow"),
        "the template: {log}"
    );
    for secret in [flow, nonce] {
        assert!(!log.contains(secret), "{log}");
        assert!(!format!("{error:?}").contains(secret), "{error:?}");
    }
}
