//! A process of the model: the real core with a runtime of its own, over the model's disk, keyring,
//! network and clock. It runs only when the world lets it, on the world's thread.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::runtime::Runtime;
use vestibule_core::BackendCalls;
use vestibule_core::profile::Profile;
use vestibule_core::session::{self, Session};
use vestibule_core::testing::Machine;
use vestibule_core::wire::{
    BrowserSignInInput, FetchRequest, LoginInput, Phase, SessionState, UploadReply, UploadRequest,
};
use vestibule_harness::{Lost, PASSWORD, WORKSPACE};

use super::backend::Person;
use super::check::Checks;
use super::desktop::{self, ModelDesktop};
use super::model_process::{ModelProcess, run_as};
use super::plan::{Carrier, WorldConfig};
use super::world::Ground;

/// The label of every window.
const WINDOW: &str = "main";
/// How often the tasks that are ready are polled, one after the other.
const TURNS: usize = 24;
/// How many bits of an exchange's number count the exchanges of one page; see [`BackendCalls`].
const COUNT_BITS: u32 = 20;

/// One run of the app.
pub struct Process {
    pub life: Arc<ModelProcess>,
    session: Session,
    calls: Arc<BackendCalls>,
    page: u64,
    /// How many exchanges its pages have made.
    exchanged: u64,
    checks: Checks,
    carrier: Carrier,
    desktop: Arc<ModelDesktop>,
    runtime: Runtime,
}

impl Process {
    /// Starts the app with what is stored.
    pub fn start(ground: &Ground, account: usize, number: u64) -> Result<Self, Lost> {
        let life = ModelProcess::new(account, number);
        let on_thread = life.clone();
        // One thread for blocking work, so that it happens in the order in which it was asked for.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .max_blocking_threads(1)
            .on_thread_start(move || run_as(Some(&on_thread)))
            .build()
            .map_err(|error| format!("no runtime: {error}"))?;
        let desktop = Arc::new(ModelDesktop::default());
        let place = &ground.accounts[account];
        let config = session::Config {
            workspace: WORKSPACE.into(),
            profile: profile(ground.config)?,
            folder: "the model's".into(),
            store: ground.keyring.of(&life),
            product: "Vestibule 0.1.0".into(),
            desktop: desktop.clone(),
            others: Arc::new(session::NoOtherAccounts),
        };
        let machine = Machine {
            clock: place.clock.clone(),
            records: place.disk.of(&life),
            transport: ground.net.of(&life, &ground.checks),
        };
        run_as(Some(&life));
        let opened = runtime.block_on(async { Session::open_on(config, machine) });
        run_as(None);
        let session = opened.map_err(|error| format!("the process does not start: {error}"))?;
        life.shows(session.subscribe());
        Ok(Self {
            life,
            session,
            calls: Arc::default(),
            page: 1,
            exchanged: 0,
            checks: ground.checks.clone(),
            carrier: ground.config.carrier,
            desktop,
            runtime,
        })
    }

    pub fn state(&self) -> SessionState {
        self.session.snapshot().state
    }

    pub fn phase(&self) -> Phase {
        self.state().phase
    }

    fn run(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(work);
    }

    pub fn sign_in(&self, person: Person) {
        let (session, checks) = (self.session.clone(), self.checks.clone());
        let (account, carrier) = (self.life.account, self.carrier);
        let opened = self.desktop.next();
        self.run(async move {
            let signed_in = match carrier {
                Carrier::Cookie | Carrier::Body => {
                    let input = LoginInput::new(person.email(), PASSWORD);
                    session.login(input).await
                }
                Carrier::Provider => {
                    let signing_in = session.sign_in_by_browser(BrowserSignInInput::default());
                    tokio::pin!(signing_in);
                    tokio::select! {
                        biased;
                        address = opened => {
                            let back = address.and_then(|address| desktop::back(&address, person));
                            back.map(|back| session.take_redirect(&back));
                            signing_in.await
                        }
                        ended = &mut signing_in => ended,
                    }
                }
            };
            if signed_in.is_ok() {
                checks.signed_in(account, &session.snapshot().state.phase);
            }
        });
    }

    pub fn sign_out(&self) {
        let session = self.session.clone();
        self.run(async move {
            session.logout().await;
        });
    }

    pub fn refresh(&self) {
        let session = self.session.clone();
        self.run(async move {
            let _ = session.refresh().await;
        });
    }

    pub fn unlock(&self) {
        let session = self.session.clone();
        self.run(async move {
            let _ = session.unlock_keyring().await;
        });
    }

    /// Makes a call.
    pub fn call(&mut self) {
        let (session, calls) = (self.session.clone(), self.calls.clone());
        let (at, asking) = (self.exchange(), self.asking());
        self.run(async move {
            let request = FetchRequest {
                path: asking.path(&session),
                method: "POST".into(),
                headers: vec![("content-type".into(), "application/json".into())],
                body: Some("{}".into()),
            };
            let _ = calls.fetch(WINDOW, at, &session, request).await;
        });
    }

    /// Makes a call with a body that is sent piece by piece.
    pub fn upload(&mut self, is_replayable: bool) {
        let (session, calls) = (self.session.clone(), self.calls.clone());
        let (at, asking) = (self.exchange(), self.asking());
        self.run(async move {
            let request = UploadRequest {
                path: asking.path(&session),
                method: "POST".into(),
                headers: vec![("content-type".into(), "application/json".into())],
                length: Some(2),
                replayable: is_replayable,
            };
            if calls.upload(WINDOW, at, &session, &request).is_err() {
                return;
            }
            loop {
                let written = calls.write(WINDOW, at, b"{}").await;
                if written.is_err() {
                    return;
                }
                match calls.answer(WINDOW, at).await {
                    Ok(UploadReply::Again) => {}
                    Ok(UploadReply::Answer { .. }) | Err(_) => return,
                }
            }
        });
    }

    fn asking(&self) -> Asking {
        Asking {
            account: self.life.account,
            checks: self.checks.clone(),
        }
    }

    fn exchange(&mut self) -> u64 {
        self.exchanged += 1;
        self.page << COUNT_BITS | self.exchanged
    }

    pub fn reload(&mut self) {
        let calls = self.calls.clone();
        self.run(async move { calls.page_left(WINDOW) });
        self.page += 1;
    }

    /// Polls the tasks that are ready, on this thread, and waits for blocking work where there may
    /// be some.
    pub fn turn(&self, may_block: bool) {
        if self.life.is_dead() {
            return;
        }
        run_as(Some(&self.life));
        self.runtime.block_on(async {
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
            if may_block {
                // Blocking work runs in order: when this has run, all work before it has.
                let _ = tokio::task::spawn_blocking(|| ()).await;
            }
        });
        run_as(None);
    }

    /// Advances the runtime's time, so that timeouts expire.
    pub fn pass(&self, time: Duration) {
        if self.life.is_dead() {
            return;
        }
        run_as(Some(&self.life));
        self.runtime.block_on(tokio::time::advance(time));
        run_as(None);
    }

    /// Ends the process: every task is dropped where it is.
    pub fn end(self) {
        self.life.kill();
        let Self {
            runtime, session, ..
        } = self;
        drop(session);
        runtime.shutdown_background();
    }
}

/// A call that is about to begin.
struct Asking {
    account: usize,
    checks: Checks,
}

impl Asking {
    /// Its path, with a number that identifies who asked: the person who is shown at this moment.
    fn path(&self, session: &Session) -> String {
        let phase = session.snapshot().state.phase;
        let number = self.checks.asked(self.account, &phase);
        format!("/orders/{number}")
    }
}

/// The profile of the model's backend.
pub fn profile(config: WorldConfig) -> Result<Profile, Lost> {
    let mut profile = json!({
        "backend": "http://127.0.0.1:4580",
        "session": {"user_from": config.user_from, "grace_s": config.believed_grace},
        "api": {"allow": ["/orders/*", "POST /orders/*"]},
        "endpoints": {"me": false},
    });
    if config.user_from == "me" {
        profile["endpoints"]["me"] = json!({
            "method": "GET",
            "path": "/whoami",
            "headers": {"authorization": "Bearer $access_token"},
        });
        profile["answer"] = json!({"me": {"user": ["/user"]}});
    }
    if config.carrier == Carrier::Provider {
        let at = |path: &str| format!("http://127.0.0.1:4580/{path}");
        profile["browser"] = json!({
            "kind": "oauth2",
            "authorize": at("authorize"),
            "token": at("token"),
            "revoke": at("revoke"),
            "userinfo": at("userinfo"),
            "client_id": "model",
            "redirect": "scheme",
        });
    }
    if config.carrier == Carrier::Body {
        profile["cookies"] = json!({"refresh": []});
        let body = json!({"refreshToken": "$refresh_token", "fingerprint": "$device"});
        profile["endpoints"]["refresh"] = json!({"body": body});
        profile["endpoints"]["logout"] = json!({"body": {"refreshToken": "$refresh_token"}});
        for answer in ["login", "refresh"] {
            profile["answer"][answer] = json!({"refresh_token": ["/tokens/refreshToken"]});
        }
    }
    Profile::from_json(profile).map_err(|error| error.to_string())
}
