//! `auth.fetch` in a page of the real window: it returns a real `Response` of the backend, and
//! nothing of the session is visible in the request or the answer.

use serde_json::{Value, json};
use vestibule_acceptance::{App, DEMO, DEMO_NAME, Role, Stage, scenario};
use vestibule_backend::{Effect, Fault};

use crate::signed_in;

/// Calls `path` with `init` and returns the result as the page sees it.
async fn call(app: &App, path: &str, init: Value) -> Value {
    let script = "const [path, init] = argument;
        const response = await auth.fetch(path, init);
        const { status, ok, headers } = response;
        const real = response instanceof Response;
        return { real, status, ok, headers: [...headers], text: await response.text() };";
    app.with_auth(script, json!([path, init])).await
}

async fn settled(stage: &Stage) -> App {
    let app = signed_in(stage, DEMO, DEMO_NAME).await;
    app.find(Role::Heading, "Your session").await;
    app
}

#[test]
fn a_page_gets_a_response_with_the_status_the_headers_and_the_body() {
    scenario(async |stage| {
        let app = settled(stage).await;
        let me = call(&app, "/me?x=1", json!({})).await;
        assert_eq!(me["real"], true, "{me}");
        assert_eq!((&me["status"], &me["ok"]), (&json!(200), &json!(true)));
        let text = me["text"].as_str().expect("a text");
        assert!(text.contains(DEMO), "{text}");
        let kind = json!(["content-type", "application/json"]);
        let headers = me["headers"].as_array().expect("headers");
        assert!(headers.contains(&kind), "{headers:?}");

        let read = app
            .with_auth(
                "const json = await (await auth.fetch('/me')).json();
                 const bytes = await (await auth.fetch('/me')).arrayBuffer();
                 const again = JSON.parse(new TextDecoder().decode(bytes));
                 return { email: json.user.email, again: again.user.email };",
                json!(null),
            )
            .await;
        assert_eq!(read, json!({ "email": DEMO, "again": DEMO }));

        for (status, ok) in [(204, true), (404, false), (418, false), (503, false)] {
            let fault = Fault::on("GET", "/me", Effect::status(status));
            stage.backend.faults().add(fault.times(1));
            let answer = call(&app, "/me", json!({})).await;
            let seen = (&answer["status"], &answer["ok"]);
            assert_eq!(seen, (&json!(status), &json!(ok)), "{answer}");
        }
        let sent = call(&app, "/plans/team/purchase", json!({ "json": { } })).await;
        assert_eq!(sent["status"], 201, "a value is sent by POST: {sent}");
    });
}

#[test]
fn credentials_are_the_shells_to_send_and_cookies_its_to_keep() {
    scenario(async |stage| {
        let app = settled(stage).await;
        let headers = [
            ("set-cookie", "flavour=oat; Path=/"),
            ("x-refresh-token", "for the shell only"),
            ("x-total", "3"),
        ];
        let told = Effect::Status {
            status: 200,
            code: None,
            message: None,
            body: Some(json!({})),
            headers: headers
                .map(|(name, value)| (name.into(), value.into()))
                .into(),
        };
        let told = Fault::on("GET", "/me", told);
        stage.backend.faults().add(told.times(1));
        let theirs = json!({ "headers": {
            "authorization": "Bearer mine", "cookie": "mine=1", "host": "evil.example",
            "x-forwarded-host": "evil.example", "x-mine": "yes",
        } });
        let answer = call(&app, "/me", theirs).await;
        let names: Vec<_> = answer["headers"]
            .as_array()
            .expect("headers")
            .iter()
            .filter_map(|header| header[0].as_str())
            .collect();
        assert!(
            names.contains(&"x-total"),
            "the page sees ordinary headers: {names:?}"
        );
        for ours in ["set-cookie", "x-refresh-token"] {
            assert!(!names.contains(&ours), "the page does not see {ours}");
        }
        let sent = stage.backend.last_request("GET", "/me").expect("one");
        assert_eq!(sent.header("x-mine"), Some("yes"));
        let bearer = sent.header("authorization").unwrap_or_default();
        assert!(
            bearer.starts_with("Bearer ey"),
            "the call carries the session's access token"
        );
        let host = format!("127.0.0.1:{}", stage.backend.port());
        assert_eq!(sent.header("host"), Some(&*host));
        assert_eq!(sent.header("x-forwarded-host"), None);
        assert_eq!(sent.cookie("mine"), None);

        call(&app, "/me", json!({})).await;
        let sent = stage.backend.last_request("GET", "/me").expect("one");
        assert_eq!(
            sent.cookie("flavour"),
            Some("oat"),
            "the shell keeps the cookie"
        );
        assert_eq!(app.run("return document.cookie").await, "");
        assert_eq!(sent.cookie("__refresh_token"), None);
    });
}

#[test]
fn no_other_path_is_called() {
    scenario(async |stage| {
        let app = settled(stage).await;
        let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        elsewhere.set_nonblocking(true).expect("it does not wait");
        let address = elsewhere.local_addr().expect("its address");
        let url = stage.backend.url();
        let host = url.strip_prefix("http://").expect("plain on loopback");
        let me = stage.backend.requests("GET", "/me");
        let paths = [
            "/login".to_owned(),
            "/LOGIN".into(),
            "/refresh-token".into(),
            "/logout".into(),
            "/verify-otp".into(),
            "/faults".into(),
            "/me/".into(),
            "/me/../login".into(),
            "/plans/../me".into(),
            "/plans/%2e%2e".into(),
            "/plans/..%2fme".into(),
            "/plans/a%252fb".into(),
            "/./me".into(),
            "//me".into(),
            "/\\me".into(),
            "\\\\127.0.0.1\\me".into(),
            "me".into(),
            String::new(),
            "/me#x".into(),
            "/me\n".into(),
            format!("{url}/me"),
            format!("http://{address}/me"),
            format!("//{address}/me"),
            format!("http://a:b@{host}/me"),
            format!("@{address}/me"),
            "javascript:alert(1)".into(),
            "file:///etc/passwd".into(),
        ];
        for path in &paths {
            for method in ["GET", "POST"] {
                let answer = call(&app, path, json!({ "method": method })).await;
                let code = &answer["thrown"]["code"];
                assert_eq!(code, "path_refused", "{method} {path:?}: {answer}");
            }
        }
        for method in ["TRACE", "CONNECT", "OPTIONS", "PROPFIND"] {
            let answer = call(&app, "/me", json!({ "method": method })).await;
            assert_eq!(
                answer["thrown"]["code"], "path_refused",
                "{method}: {answer}"
            );
        }
        assert!(
            elsewhere.accept().is_err(),
            "no connection was made to the other listener"
        );
        assert_eq!(stage.backend.requests("GET", "/me"), me);
        assert_eq!(stage.backend.requests("POST", "/login"), 1, "the person's");
        assert_eq!(stage.backend.requests("POST", "/refresh-token"), 0);
        assert_eq!(stage.backend.requests("POST", "/logout"), 0);

        // The control: an allowed call succeeds.
        let allowed = call(&app, "/me", json!({})).await;
        assert_eq!(allowed["status"], 200, "{allowed}");
        assert_eq!(stage.backend.requests("GET", "/me"), me + 1);
    });
}

#[test]
fn an_expired_token_and_a_redirect_are_the_shells_business() {
    scenario(async |stage| {
        let app = settled(stage).await;
        stage.backend.expire_access_tokens();
        let answer = call(&app, "/me", json!({})).await;
        assert_eq!(answer["status"], 200, "{answer}");
        assert_eq!(stage.backend.requests("POST", "/refresh-token"), 1);
        assert_eq!(
            stage.backend.requests("GET", "/me"),
            2,
            "one call, and one that is sent again"
        );

        let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        elsewhere.set_nonblocking(true).expect("it does not wait");
        let address = elsewhere.local_addr().expect("its address");
        let lead = |location: &str| {
            let (location, status) = (location.to_owned(), 307);
            let effect = Effect::Redirect { location, status };
            let fault = Fault::on("GET", "/plans", effect);
            stage.backend.faults().add(fault.times(1));
        };
        lead("/me");
        let answer = call(&app, "/plans", json!({})).await;
        assert_eq!(answer["status"], 200, "{answer}");
        assert!(
            answer["text"]
                .as_str()
                .is_some_and(|text| text.contains(DEMO))
        );
        lead(&format!("http://{address}/me"));
        let answer = call(&app, "/plans", json!({})).await;
        // The shell does not follow a redirect to another origin.
        let message = answer["thrown"]["message"].as_str().unwrap_or_default();
        assert!(
            message.contains("instead of the server's answer"),
            "{answer}"
        );
        assert!(elsewhere.accept().is_err(), "nobody has come");
    });
}

#[test]
fn a_call_ends_with_its_signal_and_the_next_one_works() {
    scenario(async |stage| {
        let app = settled(stage).await;
        let hanging = Fault::on("GET", "/me", Effect::Hang {});
        let hanging = stage.backend.faults().add(hanging);
        let ended = app
            .with_auth(
                "const abort = new AbortController();
                 const calls = [
                   auth.fetch('/me', { signal: abort.signal }),
                   auth.fetch('/me', { signal: AbortSignal.timeout(200) }),
                 ];
                 const ends = Promise.allSettled(calls);
                 setTimeout(() => abort.abort(), 100);
                 return (await ends).map(({ reason }) => reason?.name);",
                json!(null),
            )
            .await;
        assert_eq!(ended, json!(["AbortError", "TimeoutError"]));
        stage.backend.faults().remove(hanging);
        let early = app
            .with_auth(
                "return auth.fetch('/me', { signal: AbortSignal.abort() });",
                json!(null),
            )
            .await;
        assert_eq!(early["thrown"]["name"], "AbortError");
        assert_eq!(call(&app, "/me", json!({})).await["status"], 200);
        let cancelled = app.record().await;
        assert_eq!(
            cancelled.answers("backend_cancel").count(),
            2,
            "the shell was told to cancel the call"
        );
    });
}
