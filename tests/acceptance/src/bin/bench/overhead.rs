//! What the core costs over bare `reqwest`, against the same backend on loopback: the
//! journal's and the records' fsyncs, the keyring, the state. Core and bare take turns.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::{Value, json};
use vestibule_acceptance::{DEMO, PASSWORD};
use vestibule_backend::{Backend, Config};
use vestibule_core::profile::Profile;
use vestibule_core::secrets::{MemoryStore, SecretStore};
use vestibule_core::session::{self, Session};
use vestibule_core::wire::{LoginInput, Phase};

use crate::figures::{Times, line, ms, told};

const ROUNDS: usize = 200;

pub async fn measure(keyring: Arc<dyn SecretStore>) {
    println!(
        "\nLogin and refresh through the core, over bare reqwest (loopback, cheap password hash)"
    );
    let backend = Backend::start(Config::default()).await.expect("a backend");
    let folder = tempfile::tempdir().expect("a folder");
    let mut bare = Bare::new(&backend);
    let memory: Arc<dyn SecretStore> = Arc::new(MemoryStore::default());
    let open = async |name: &str, store| {
        let profile = Profile::default().with_backend(&backend.url());
        let config = session::Config {
            workspace: name.into(),
            profile: profile.expect("a loopback address"),
            folder: folder.path().join(name),
            store,
            product: "Vestibule bench".into(),
        };
        let session = Session::open(config).expect("a session");
        let mut changes = session.subscribe();
        let known =
            changes.wait_for(|change| !matches!(change.state.phase, Phase::Restoring { .. }));
        known.await.expect("it lives");
        session
    };
    let in_memory = open("memory", memory).await;
    let in_keyring = open("keyring", keyring).await;

    let mut logins: [Times; 3] = Default::default();
    let mut refreshes: [Times; 3] = Default::default();
    for _ in 0..ROUNDS {
        logins[0].add(timed(bare.login()).await);
        logins[1].add(timed(login(&in_memory)).await);
        logins[2].add(timed(login(&in_keyring)).await);
    }
    for _ in 0..ROUNDS {
        refreshes[0].add(timed(bare.refresh()).await);
        refreshes[1].add(timed(refresh(&in_memory)).await);
        refreshes[2].add(timed(refresh(&in_keyring)).await);
    }
    let storage = in_keyring.snapshot().state.storage;
    line("the keyring said", &format!("{storage:?}"));
    for (name, times) in [("login", &logins), ("refresh", &refreshes)] {
        let [bare, memory, keyring] = times;
        told(&format!("{name}, bare reqwest"), bare);
        told(&format!("{name}, core, store in memory"), memory);
        told(&format!("{name}, core, real keyring"), keyring);
        over(&format!("{name}, over bare, in memory"), memory, bare);
        over(&format!("{name}, over bare, real keyring"), keyring, bare);
    }
}

fn over(name: &str, core: &Times, bare: &Times) {
    let median = core.median().saturating_sub(bare.median());
    let p95 = core.p95().saturating_sub(bare.p95());
    let figure = format!("median {:>12}   p95 {:>12}", ms(median), ms(p95));
    line(name, &figure);
}

async fn timed(work: impl Future<Output = ()>) -> Duration {
    let begun = Instant::now();
    work.await;
    begun.elapsed()
}

async fn login(session: &Session) {
    let input = LoginInput::new(DEMO, PASSWORD);
    session.login(input).await.expect("signed in");
}

async fn refresh(session: &Session) {
    session.refresh().await.expect("refreshed");
}

/// What someone would write without us.
struct Bare {
    client: Client,
    url: String,
    device: Value,
    cookies: String,
}

impl Bare {
    fn new(backend: &Backend) -> Self {
        let id = uuid::Uuid::new_v4();
        Self {
            client: Client::new(),
            url: backend.url(),
            device: json!({ "fingerprint": id, "os": "an os", "browser": "bare" }),
            cookies: String::new(),
        }
    }

    async fn login(&mut self) {
        let body = json!({ "email": DEMO, "password": PASSWORD, "fingerprint": self.device });
        self.post("/login", &body).await;
    }

    async fn refresh(&mut self) {
        let body = json!({ "fingerprint": self.device });
        self.post("/refresh-token", &body).await;
    }

    async fn post(&mut self, path: &str, body: &Value) {
        let answer = self
            .client
            .post(format!("{}{path}", self.url))
            .header("cookie", &self.cookies)
            .json(body)
            .send()
            .await
            .expect("an answer");
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        let lines = answer.headers().get_all("set-cookie").iter();
        let refresh = lines
            .filter_map(|line| line.to_str().ok()?.split(';').next())
            .find(|pair| pair.starts_with("__refresh_token="));
        self.cookies = refresh.expect("a refresh token").to_owned();
        let answer: Value = answer.json().await.expect("JSON");
        assert!(answer["user"]["id"].is_string(), "a user");
    }
}
