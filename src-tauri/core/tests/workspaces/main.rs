//! Several workspaces in one app: what an address is looked at for, which are on disk, and what the
//! roles of a backend allow that a person has added.

mod certificates;
mod look;
mod record;
mod rights;

use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::{Value, json};
use vestibule_core::AuthError;
use vestibule_core::profile::{Profile, Section};
use vestibule_core::transport::NetworkSettings;
use vestibule_core::wire::FoundWorkspace;
use vestibule_core::workspaces::{Config, Workspaces};
use vestibule_harness::merge;

/// The address of the app's own backend, which no test contacts.
const OWN: &str = "https://app.example";
const PRODUCT: &str = "Vestibule 0.1.0";

/// The section of an app to which a person can add workspaces, with `more` merged into it.
fn section(more: Value) -> Section {
    let mut section = json!({
        "backend": OWN,
        "roles": {"admin": ["people.see", "people.export"]},
        "accounts": 5,
        "workspaces": {"adding": "any"},
    });
    merge(&mut section, more);
    Section::new("app.json (plugins.vestibule)", section)
}

/// The profile that a section is loaded with, without any other layer.
fn profile_of(section: &Section) -> Profile {
    let layers = section.layers(None).expect("layers");
    section.load(&layers).expect("a profile").profile
}

fn config(section: Section, folder: &Path) -> Config {
    Config {
        own: profile_of(&section),
        section,
        built: None,
        policy: None,
        folder: folder.to_owned(),
    }
}

/// The workspaces of that app, recorded in `folder`.
fn open(more: Value, folder: &Path) -> Workspaces {
    let opened = Workspaces::open(config(section(more), folder));
    opened.unwrap_or_else(|error| panic!("{error}"))
}

/// The ids of all workspaces, those of added ones by their host.
fn names(workspaces: &Workspaces) -> Vec<String> {
    let all = workspaces.all().into_iter();
    all.map(|it| if it.added { it.host } else { it.id })
        .collect()
}

async fn look(workspaces: &Workspaces, typed: &str) -> Result<FoundWorkspace, AuthError> {
    workspaces
        .look(typed, NetworkSettings::default(), PRODUCT)
        .await
}

/// A listener that counts connections and answers none.
struct Silent {
    port: u16,
    connections: Arc<AtomicUsize>,
}

impl Silent {
    fn new() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = connections.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                counted.fetch_add(1, Ordering::SeqCst);
                drop(stream);
            }
        });
        Self { port, connections }
    }

    fn address(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}
