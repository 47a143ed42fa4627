//! The acceptance checklist of the commission, line by line. A developer who uses Vestibule with
//! another backend begins here.
//!
//! The first six lines drive the core against the reference backend over loopback, the seventh the
//! real window. These tests store the token in memory; the tests of the window use the keyring.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use vestibule_acceptance::{
    DEMO, DEMO_NAME, OTP, OTP_NAME, PASSWORD, Role, containing, scenario, until,
};
use vestibule_backend::{Backend, Config, Effect, Fault};
use vestibule_core::profile::Profile;
use vestibule_core::session::Session;
use vestibule_core::testing::MemoryStore;
use vestibule_core::wire::{
    LoginInput, OtpInput, Phase, SessionInfo, SignInOutcome, SignedOutReason, StorageStatus, User,
};
use vestibule_core::{Secret, SecretStore as _};
use vestibule_harness::config;

/// A backend, and what an installed app stores on this machine.
struct Machine {
    backend: Backend,
    folder: TempDir,
    store: Arc<MemoryStore>,
}

impl Machine {
    async fn new() -> Self {
        Self {
            backend: Backend::start(Config::default()).await.expect("a backend"),
            folder: tempfile::tempdir().expect("a folder"),
            store: Arc::default(),
        }
    }

    /// Starts the app; returns its session once it is known whether somebody is signed in.
    async fn start(&self) -> Session {
        let profile = Profile::default().with_backend(&self.backend.url());
        let profile = profile.expect("a loopback address");
        let config = config(
            profile,
            &self.folder.path().join("records"),
            self.store.clone(),
        );
        let session = Session::open(config).expect("a session");
        settled(&session).await;
        session
    }

    fn stored(&self) -> Option<String> {
        let names = self.store.names();
        let name = names.iter().find(|name| !name.contains(".revoke."))?;
        let bytes = self.store.read(name).expect("memory does not fail")?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    fn requests(&self) -> usize {
        let all = ["/login", "/refresh-token", "/logout", "/verify-otp"];
        let counted = all.map(|path| self.backend.requests("POST", path));
        counted.iter().sum::<usize>() + self.backend.requests("GET", "/me")
    }
}

async fn settled(session: &Session) -> Phase {
    let mut changes = session.subscribe();
    let known = changes.wait_for(|change| {
        !matches!(change.state.phase, Phase::Restoring { .. })
            && change.state.storage == StorageStatus::Ok
    });
    let known = tokio::time::timeout(Duration::from_secs(60), known).await;
    let known = known.expect("the state is known").expect("it lives");
    known.state.phase.clone()
}

fn credentials(email: &str) -> LoginInput {
    LoginInput::new(email, PASSWORD)
}

/// What `/get-session` returns in this state: the user and the session, or `null`.
fn read(session: &Session) -> Option<(User, SessionInfo)> {
    match session.snapshot().state.phase {
        Phase::SignedIn { user, session, .. } => Some((user, session)),
        _ => None,
    }
}

fn files_hold(folder: &Path, secret: &str) -> Vec<String> {
    vestibule_acceptance::tokens::files_holding(folder, secret)
}

#[tokio::test(flavor = "multi_thread")]
async fn login_gives_user_and_keeps_both_cookies_natively() {
    let machine = Machine::new().await;
    let session = machine.start().await;
    assert!(read(&session).is_none(), "nobody is signed in at first");
    let outcome = session.login(credentials(DEMO)).await.expect("signed in");
    assert_eq!(outcome, SignInOutcome::SignedIn);
    let (user, _) = read(&session).expect("a user");
    assert_eq!((user.email.as_str(), user.name.as_str()), (DEMO, DEMO_NAME));

    // The backend's two cookies are sent back to it unchanged.
    session.refresh().await.expect("refreshed");
    let sent = machine.backend.last_request("POST", "/refresh-token");
    let sent = sent.expect("it was recorded");
    let refresh = sent.cookie("__refresh_token").expect("the refresh cookie");
    assert!(
        sent.cookie("vestibule_locale").is_some(),
        "the language cookie"
    );
    let device = sent.json().expect("JSON")["fingerprint"]["fingerprint"].clone();
    assert_eq!(sent.cookie("device_fingerprint"), device.as_str());

    // The refresh token is in the store, and neither in a file nor in what a window sees.
    session.logout().await;
    let told = until("the backend to receive the sign-out", async || {
        let told = machine.backend.last_request("POST", "/logout");
        told.ok_or("not yet".into())
    })
    .await;
    let latest = told.cookie("__refresh_token").expect("the rotated cookie");
    assert_ne!(latest, refresh, "the refresh token was rotated");
    session.login(credentials(DEMO)).await.expect("signed in");
    let stored = machine.stored().expect("an item");
    session.refresh().await.expect("refreshed");
    let sent = machine.backend.last_request("POST", "/refresh-token");
    let sent = sent.expect("it was recorded");
    let token = sent.cookie("__refresh_token").expect("the refresh cookie");
    assert!(stored.contains(token), "the store held the refresh token");
    assert_eq!(files_hold(machine.folder.path(), token), [""; 0]);
    let seen = serde_json::to_string(&session.snapshot()).expect("JSON");
    assert!(!seen.contains(token), "the window does not see it");
}

#[tokio::test(flavor = "multi_thread")]
async fn session_read_returns_the_same_user_with_no_request() {
    let machine = Machine::new().await;
    let session = machine.start().await;
    session.login(credentials(DEMO)).await.expect("signed in");
    let first = read(&session).expect("a user");
    let before = machine.requests();
    for _ in 0..1000 {
        assert_eq!(read(&session).as_ref(), Some(&first));
    }
    assert_eq!(
        machine.requests(),
        before,
        "reading the session sends no request"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn refresh_token_removed_gives_null() {
    // The session is ended by the backend while the app runs.
    let machine = Machine::new().await;
    let session = machine.start().await;
    session.login(credentials(DEMO)).await.expect("signed in");
    let removed = Effect::Status {
        status: 200,
        code: None,
        message: None,
        body: Some(serde_json::json!({})),
        headers: [(
            "set-cookie".to_owned(),
            "__refresh_token=; Path=/; Max-Age=0".to_owned(),
        )]
        .into(),
    };
    let removed = Fault::on("POST", "/refresh-token", removed).times(1);
    machine.backend.faults().add(removed);
    session.refresh().await.expect_err("the session has ended");
    assert!(read(&session).is_none(), "null");
    assert!(machine.stored().is_none(), "nothing is kept");

    // The token is deleted from the keyring while the app does not run.
    let machine = Machine::new().await;
    let session = machine.start().await;
    session.login(credentials(DEMO)).await.expect("signed in");
    let name = session.item_name().to_owned();
    drop(session);
    machine.store.delete(&name).expect("removed");
    let before = machine.requests();
    let session = machine.start().await;
    assert!(read(&session).is_none(), "null");
    assert_eq!(
        machine.requests(),
        before,
        "without a token no request is sent"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn logout_gives_success_true_and_clears() {
    let machine = Machine::new().await;
    let session = machine.start().await;
    session.login(credentials(DEMO)).await.expect("signed in");
    let reply = session.logout().await;
    assert_eq!(
        serde_json::to_value(reply).expect("JSON"),
        serde_json::json!({ "success": true })
    );
    assert!(read(&session).is_none(), "null at once");
    machine.backend.reached("POST", "/logout", 1).await;
    until("an empty store", async || match machine.stored() {
        None => Ok(()),
        Some(_) => Err("the store still holds an item".into()),
    })
    .await;
    until("the backend to have ended the session", async || {
        let sessions = machine.backend.sessions(DEMO);
        let stands = sessions.iter().any(|session| session.ended.is_none());
        (!stands)
            .then_some(())
            .ok_or("the session is still valid".into())
    })
    .await;

    // It stays so after a restart: nothing is left to restore.
    drop(session);
    let session = machine.start().await;
    let phase = session.snapshot().state.phase;
    let why = SignedOutReason::ByUser;
    assert_eq!(phase, Phase::SignedOut { why });
    assert_eq!(machine.backend.requests("POST", "/refresh-token"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn otp_required() {
    let machine = Machine::new().await;
    let session = machine.start().await;
    let outcome = session.login(credentials(OTP)).await.expect("a challenge");
    assert_eq!(outcome, SignInOutcome::OtpRequired);
    assert!(read(&session).is_none(), "no session yet");
    assert!(machine.stored().is_none(), "no token yet");
    let Phase::OtpPending { challenge } = session.snapshot().state.phase else {
        panic!("the sign-in asks for a code");
    };
    assert_eq!(challenge.email, OTP);
}

#[tokio::test(flavor = "multi_thread")]
async fn otp_verified() {
    let machine = Machine::new().await;
    let session = machine.start().await;
    session.login(credentials(OTP)).await.expect("a challenge");
    let code = machine.backend.last_code(OTP).expect("it was mailed");
    let wrong = if code == "000000" { "111111" } else { "000000" };
    let Phase::OtpPending { challenge } = session.snapshot().state.phase else {
        panic!("the sign-in asks for a code");
    };
    let refused = session
        .verify_otp(OtpInput::new(challenge.id, Secret::new(wrong)))
        .await;
    refused.expect_err("a wrong code is refused");
    assert!(read(&session).is_none());
    let outcome = session
        .verify_otp(OtpInput::new(challenge.id, Secret::new(code)))
        .await;
    assert_eq!(outcome.expect("signed in"), SignInOutcome::SignedIn);
    let (user, _) = read(&session).expect("a user");
    assert_eq!((user.email.as_str(), user.name.as_str()), (OTP, OTP_NAME));
    assert!(machine.stored().is_some(), "the token is stored");
}

#[test]
fn first_paint_knows_the_session_with_one_refresh_at_most() {
    scenario(async |stage| {
        let app = stage.start_at("/auth/login/").await;
        app.fill("E-mail", DEMO).await;
        app.fill("Password", PASSWORD).await;
        app.click(Role::Button, "Sign in").await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        app.kill();
        assert_eq!(stage.backend.requests("POST", "/refresh-token"), 0);
        let app = stage.start().await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        let frame = app.first_paint().await;
        assert!(frame.contains(DEMO_NAME), "the first paint reads {frame:?}");
        assert!(
            !frame.contains("Sign in"),
            "the first paint reads {frame:?}"
        );
        assert_eq!(stage.backend.requests("POST", "/refresh-token"), 1);
        // Opening another page does not send a request either.
        app.reload().await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        assert_eq!(stage.backend.requests("POST", "/refresh-token"), 1);
    });
}
