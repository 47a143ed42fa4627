//! The example in `docs/example-backend`, which adopters copy: every row holds, and the attacks on
//! it fail.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use vestibule_core::Secret;
use vestibule_core::profile::Profile;
use vestibule_doctor::{Account, Allowed, Holds, Outcome, Plan, Prompter};

use crate::support::{WATCH_TIME, examined, rows, text};

/// Makes password hashes cheap. The attack looks at what the real ones cost.
const CHEAP_HASHES: &str = "--import=data:text/javascript,\
    import crypto from 'node:crypto'; import { syncBuiltinESMExports } from 'node:module'; \
    const { scrypt } = crypto; \
    crypto.scrypt = (one, two, three, _cost, done) => scrypt(one, two, three, { N: 2 }, done); \
    syncBuiltinESMExports();";

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/example-backend");
    assert!(
        folder.join("node_modules/express").is_dir(),
        "the example's npm packages are missing: `cargo xtask setup` installs them"
    );
    folder
}

/// Node.js with the example. Ends when dropped.
struct Example {
    node: Child,
    console: Arc<Console>,
}

/// The lines that it has printed.
#[derive(Default)]
struct Console {
    lines: Mutex<Vec<String>>,
    more: Condvar,
}

impl Console {
    /// Waits for a line with this beginning. Answers the rest of the newest such line.
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
            .wait_timeout_while(lines, Duration::from_secs(60), |lines| {
                find(lines).is_none()
            });
        find(&waited.expect("nobody panicked").0)
    }
}

impl Example {
    fn start() -> Self {
        let mut node = Command::new("node")
            .args([CHEAP_HASHES, "server.mjs"])
            .current_dir(folder())
            .env("PORT", "0")
            .env_remove("GRACE_SECONDS")
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
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = self.node.kill();
        let _ = self.node.wait();
    }
}

impl Prompter for Console {
    fn open(&self, _: &vestibule_core::transport::Url) {}

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
    let mut plan = Plan::new(Profile::default().with_backend(&address).expect("loopback"));
    plan.account = Some(account("demo@example.com"));
    plan.otp_account = Some(account("otp@example.com"));
    plan.register = Some("new@example.com".into());
    plan.allowed = Allowed::ALL;
    (plan.grace, plan.patience) = (WATCH_TIME, WATCH_TIME);
    let report = examined(&plan, example.console.clone()).await;
    assert_eq!(rows(&report, Holds::No), [""; 0], "{report:#?}");
    assert_eq!(
        rows(&report, Holds::NotTried),
        ["plain_http", "no_token"],
        "{report:#?}"
    );
    assert_eq!(report.outcome, Outcome::Fits);
}

/// The attack lies beside the example, for those who copy it. So does the recipe of
/// `docs/backend.md`, which runs here as it is printed there.
#[test]
fn the_attack_on_the_example_fails() {
    let attack = Command::new("node")
        .args(["--test", "attack.mjs", "recipe.mjs"])
        .current_dir(folder())
        .env_remove("GRACE_SECONDS")
        .stdin(Stdio::null())
        .output()
        .expect("node is installed");
    let told = text(&attack.stdout);
    assert!(attack.status.success(), "{told}{}", text(&attack.stderr));
    let passed = told.lines().find_map(|line| line.strip_prefix("# pass "));
    let passed: u32 = passed.and_then(|n| n.parse().ok()).expect("a count");
    assert!(passed > 0, "the attack ran no test: {told}");
}
