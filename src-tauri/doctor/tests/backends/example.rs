//! The example in `docs/example-backend`, which adopters read: every row holds.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use vestibule_core::profile::Profile;
use vestibule_core::secrets::Secret;
use vestibule_doctor::order::{Account, Allowed, Desk, Order};
use vestibule_doctor::report::Outcome;
use vestibule_doctor::row::Holds;

use crate::support::{PATIENCE, examined, rows};

/// Node with the example, until it is dropped.
struct Example {
    node: Child,
    console: Arc<Console>,
}

/// What it has printed.
#[derive(Default)]
struct Console {
    lines: Mutex<Vec<String>>,
    more: Condvar,
}

impl Console {
    /// The newest line that begins like this, without that; waits for it.
    fn after(&self, beginning: &str) -> Option<String> {
        let lines = self.lines.lock().expect("nobody panicked");
        let find = |lines: &Vec<String>| {
            let found = lines
                .iter()
                .rev()
                .find_map(|line| line.strip_prefix(beginning));
            found.map(str::to_owned)
        };
        let waited = self
            .more
            .wait_timeout_while(lines, Duration::from_secs(20), |lines| {
                find(lines).is_none()
            });
        find(&waited.expect("nobody panicked").0)
    }
}

impl Example {
    fn start() -> Self {
        Self::start_with(&[])
    }

    fn start_with(variables: &[(&str, &str)]) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/example-backend");
        assert!(
            folder.join("node_modules/express").is_dir(),
            "the example's npm packages are missing: `cargo xtask setup` installs them"
        );
        let mut node = Command::new("node")
            .arg("server.mjs")
            .current_dir(folder)
            .env("PORT", "0")
            .envs(variables.iter().copied())
            .env_remove("NODE_ENV")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node is installed");
        let console = Arc::new(Console::default());
        let (heard, stdout) = (console.clone(), node.stdout.take().expect("piped"));
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                heard.lines.lock().expect("nobody panicked").push(line);
                heard.more.notify_all();
            }
        });
        Self { node, console }
    }

    /// What it answers to this, by the status alone.
    async fn post(&self, path: &str, body: Value) -> u16 {
        let address = self.console.after("listening on ").expect("it listens");
        let request = reqwest::Client::new()
            .post(format!("{address}{path}"))
            .header("content-type", "application/json")
            .body(body.to_string());
        request.send().await.expect("an answer").status().as_u16()
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.node.kill();
        let _ = self.node.wait();
    }
}

impl Desk for Console {
    fn progress(&self, _line: &str) {}

    fn code(&self, email: &str) -> Option<Secret> {
        self.after(&format!("code for {email}: ")).map(Secret::new)
    }
}

fn account(email: &str) -> Account {
    Account {
        email: email.into(),
        password: Secret::new("example-password"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_holds_on_the_example_for_backend_authors() {
    let example = Example::start();
    let address = example.console.after("listening on ").expect("it listens");
    let mut order = Order::new(Profile::default().with_backend(&address).expect("loopback"));
    order.account = Some(account("demo@example.com"));
    order.otp_account = Some(account("otp@example.com"));
    order.register = Some("new@example.com".into());
    order.allowed = Allowed::ALL;
    (order.grace, order.patience) = (PATIENCE, PATIENCE);
    let report = examined(&order, example.console.clone()).await;
    assert_eq!(rows(&report, Holds::No), [""; 0], "{report:#?}");
    assert_eq!(
        rows(&report, Holds::NotTried),
        ["plain_http", "no_token", "limits_refresh"],
        "{report:#?}"
    );
    assert_eq!(report.outcome, Outcome::Fits);
}

#[tokio::test(flavor = "multi_thread")]
async fn its_limit_is_the_accounts_however_it_is_spelt() {
    let example = Example::start();
    let login = async |email: &str| {
        let body = json!({"email": email, "password": "not the password"});
        example.post("/login", body).await
    };
    for email in ["demo@example.com", "Demo@example.com", " dEmo@example.com "] {
        for _ in 0..3 {
            assert_eq!(login(email).await, 401, "{email}");
        }
    }
    assert_eq!(login("DEMO@example.com").await, 401, "the tenth");
    assert_eq!(login("deMo@example.com").await, 429, "one more");
    let other = login("otp@example.com").await;
    assert_eq!(other, 401, "another account has its own");
}

#[tokio::test(flavor = "multi_thread")]
async fn its_codes_are_not_to_be_guessed() {
    let example = Example::start_with(&[("RESEND_SECONDS", "0")]);
    for path in ["/verify-otp", "/resend-otp"] {
        let body = || json!({"email": "nobody@example.com", "code": "000000"});
        for _ in 0..10 {
            assert_eq!(example.post(path, body()).await, 410, "{path}");
        }
        let more = example.post(&path.to_uppercase(), body()).await;
        assert_eq!(more, 429, "{path}: one more, however it is spelt");
    }

    let who = json!({"email": "otp@example.com", "password": "example-password"});
    assert_eq!(example.post("/login", who).await, 200, "a code is sent");
    let guess = || json!({"email": "otp@example.com", "code": "no code"});
    for _ in 0..4 {
        assert_eq!(example.post("/verify-otp", guess()).await, 400);
    }
    let resent = example.post("/resend-otp", guess()).await;
    assert_eq!(resent, 204, "another code");
    let fifth = example.post("/verify-otp", guess()).await;
    assert_eq!(fifth, 423, "and no more tries than with the first");
}
