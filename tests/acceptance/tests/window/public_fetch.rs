//! The fetch for public content, in the real window: it reaches only what is listed, by GET only,
//! and carries nothing of the session.

use std::io::Read as _;
use std::net::{SocketAddr, TcpListener, TcpStream};

use serde_json::{Value, json};
use vestibule_acceptance::{App, DEMO, DEMO_NAME, Role, Stage, scenario};
use vestibule_backend::{Effect, Fault, RecordedRequest};

use crate::signed_in;

const NEWS: &str = "/public/news";

async fn settled(stage: &Stage) -> App {
    let app = signed_in(stage, DEMO, DEMO_NAME).await;
    app.find(Role::Heading, "Your session").await;
    app
}

async fn fetch(app: &App, url: &str) -> Value {
    let script = "const response = await publicFetch(argument);
        return { status: response.status, text: await response.text() };";
    app.with_auth(script, json!(url)).await
}

/// What the plugin answers to a request that is sent to it directly.
async fn ask(app: &App, request: Value) -> Value {
    let script = "const { invoke } = window.__TAURI_INTERNALS__;
        const rid = await invoke('plugin:http|fetch', { clientConfig: argument });
        return invoke('plugin:http|fetch_send', { rid });";
    let script = format!("try {{ {script} }} catch (error) {{ return {{ no: `${{error}}` }}; }}");
    let script = script.replace("return invoke", "return await invoke");
    app.with_auth(&script, request).await
}

/// A listener to which a request could go instead.
struct OtherServer(TcpListener);

impl OtherServer {
    fn at(address: &str) -> Self {
        let listener = TcpListener::bind(address).expect("a port");
        listener.set_nonblocking(true).expect("it does not wait");
        Self(listener)
    }

    fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("its address")
    }

    fn has_visitors(&self) -> bool {
        self.0.accept().is_ok()
    }
}

fn carries_nothing(seen: &RecordedRequest) {
    for (name, value) in &seen.headers {
        let ours = ["accept", "host", "origin", "user-agent"];
        assert!(
            ours.contains(&&**name),
            "the request carries {name}: {value}"
        );
        assert!(!value.contains("ey"), "a token in {name}: {value}");
    }
    assert!(seen.body.is_empty() && seen.query.is_none());
}

#[test]
fn public_content_comes_without_anything_of_the_session() {
    scenario(async |stage| {
        let app = settled(stage).await;
        let news = format!("{}{NEWS}", stage.backend.url());
        let told = Effect::Status {
            status: 200,
            code: None,
            message: None,
            body: Some(json!([])),
            headers: [("set-cookie".to_owned(), "tracker=1; Path=/".to_owned())].into(),
        };
        let told = Fault::on("GET", NEWS, told);
        stage.backend.faults().add(told.times(1));
        for wanted in ["[]", "Try your connection"] {
            let answer = fetch(&app, &news).await;
            assert_eq!(answer["status"], 200, "{answer}");
            let text = answer["text"].as_str().unwrap_or_default();
            assert!(text.contains(wanted), "{text}");
            let seen = stage.backend.last_request("GET", NEWS).expect("one");
            carries_nothing(&seen);
        }
        // The session's calls carry the token, and do not get the cookie that the public fetch got.
        let me = app
            .with_auth("return (await auth.fetch('/me')).status;", json!(null))
            .await;
        assert_eq!(me, 200);
        let seen = stage.backend.last_request("GET", "/me").expect("one");
        assert!(seen.header("authorization").is_some());
        assert!(seen.cookie("vestibule_locale").is_some());
        assert_eq!(
            seen.cookie("tracker"),
            None,
            "the public fetch keeps no cookies"
        );
    });
}

#[test]
fn nothing_that_is_not_listed_is_reached() {
    scenario(async |stage| {
        let app = settled(stage).await;
        let url = stage.backend.url();
        let port = stage.backend.port();
        // The build for tests may reach each port of 127.0.0.1 itself (`capabilities-e2e`).
        let other_host = OtherServer::at(&format!("127.0.0.2:{port}"));
        let elsewhere = [&other_host];
        let (me, plans) = (
            stage.backend.requests("GET", "/me"),
            stage.backend.requests("GET", "/plans"),
        );
        for refused in [
            format!("http://{}{NEWS}", other_host.address()),
            format!("http://localhost:{port}{NEWS}"),
            format!("https://127.0.0.1:{port}{NEWS}"),
            format!("http://127.0.0.1:{port}@{}{NEWS}", other_host.address()),
            format!("http://a:b@127.0.0.1:{port}{NEWS}"),
            format!("ftp://127.0.0.1:{port}{NEWS}"),
            format!("{url}/me"),
            format!("{url}/plans"),
            format!("{url}/"),
            format!("{url}/publicity"),
            format!("{url}/public/../me"),
            format!("{url}/public/%2e%2e/me"),
            format!("{url}//public/news"),
            format!("{url}\\..\\me"),
            "file:///etc/passwd".into(),
            "data:text/plain,x".into(),
            "tauri://localhost/".into(),
            "ipc://localhost/session".into(),
            NEWS.into(),
        ] {
            let answer = fetch(&app, &refused).await;
            let name = &answer["thrown"]["name"];
            assert_eq!(name, "NativeError", "{refused}: {answer}");
        }
        // Redirects do not reach what an address does not reach.
        for location in [
            format!("http://{}{NEWS}", other_host.address()),
            "/me".into(),
            format!("http://localhost:{port}/me"),
        ] {
            let effect = Effect::Redirect {
                location: location.clone(),
                status: 302,
            };
            let fault = Fault::on("GET", NEWS, effect);
            stage.backend.faults().add(fault.times(1));
            let answer = fetch(&app, &format!("{url}{NEWS}")).await;
            let name = &answer["thrown"]["name"];
            assert_eq!(name, "NativeError", "to {location}: {answer}");
        }
        assert!(
            !elsewhere.iter().any(|it| it.has_visitors()),
            "no connection was made to another listener"
        );
        assert_eq!(stage.backend.requests("GET", "/me"), me);
        assert_eq!(stage.backend.requests("GET", "/plans"), plans);

        // The control: a connection would have been noticed.
        for it in elsewhere {
            let mut visitor = TcpStream::connect(it.address()).expect("it listens");
            assert!(it.has_visitors());
            let _ = visitor.read(&mut [0]);
        }
        assert_eq!(fetch(&app, &format!("{url}{NEWS}")).await["status"], 200);
    });
}

#[test]
fn nothing_but_a_plain_get_goes_out() {
    scenario(async |stage| {
        let app = settled(stage).await;
        let url = format!("{}{NEWS}", stage.backend.url());
        let plain = json!({ "method": "GET", "url": url, "headers": [] });
        let answer = ask(&app, plain.clone()).await;
        assert_eq!(
            answer["status"], 200,
            "the control, a direct request, succeeds: {answer}"
        );
        let before = stage.backend.requests("GET", NEWS);
        let proxy = OtherServer::at("127.0.0.1:0");
        for (key, value) in [
            ("method", json!("POST")),
            ("method", json!("PUT")),
            ("method", json!("DELETE")),
            ("method", json!("HEAD")),
            ("method", json!("OPTIONS")),
            ("headers", json!([["authorization", "Bearer x"]])),
            ("headers", json!([["cookie", "a=b"]])),
            ("headers", json!([["x-anything", "at all"]])),
            ("data", json!([1, 2, 3])),
            (
                "proxy",
                json!({ "all": format!("http://{}", proxy.address()) }),
            ),
            (
                "danger",
                json!({ "acceptInvalidCerts": true, "acceptInvalidHostnames": true }),
            ),
        ] {
            let mut request = plain.clone();
            request[key] = value;
            let answer = ask(&app, request.clone()).await;
            assert!(answer["no"].is_string(), "{request}: {answer}");
        }
        assert!(!proxy.has_visitors());
        for method in ["POST", "PUT", "DELETE", "HEAD", "OPTIONS"] {
            assert_eq!(stage.backend.requests(method, NEWS), 0, "{method}");
        }
        assert_eq!(stage.backend.requests("GET", NEWS), before);
    });
}
