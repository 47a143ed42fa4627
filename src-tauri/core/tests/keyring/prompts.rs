//! A Secret Service that hides locked items, like KeePassXC: a search finds nothing in a locked
//! database, and where no database is open there is no collection either.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use vestibule_core::{SecretStore as _, StoreError};
use zbus::blocking::{Connection, connection};
use zbus::interface;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

use crate::daemon::{enter, keyring};

const DATABASE: &str = "/org/freedesktop/secrets/collection/database";
const OPEN: &str = "/org/freedesktop/secrets/collection/open";
const PROMPT: &str = "/org/freedesktop/secrets/prompt/p1";

fn path(text: &str) -> OwnedObjectPath {
    OwnedObjectPath::try_from(text.to_owned()).expect("a path")
}

/// The path of the default collection; a prompt can create it.
type Default = Arc<Mutex<&'static str>>;

struct Service {
    default: Default,
}

#[interface(name = "org.freedesktop.Secret.Service")]
impl Service {
    fn search_items(
        &self,
        _attributes: HashMap<String, String>,
    ) -> (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) {
        (Vec::new(), Vec::new())
    }

    fn read_alias(&self, _name: &str) -> OwnedObjectPath {
        path(*self.default.lock().expect("not poisoned"))
    }

    fn create_collection(
        &self,
        properties: HashMap<String, OwnedValue>,
        alias: &str,
    ) -> (OwnedObjectPath, OwnedObjectPath) {
        assert!(properties.contains_key("org.freedesktop.Secret.Collection.Label"));
        assert_eq!(alias, "default");
        (path("/"), path(PROMPT))
    }
}

struct Prompt {
    makes: Default,
}

#[interface(name = "org.freedesktop.Secret.Prompt")]
impl Prompt {
    async fn prompt(
        &self,
        _window: &str,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> zbus::fdo::Result<()> {
        *self.makes.lock().expect("not poisoned") = OPEN;
        let made = Value::from(path(OPEN).into_inner());
        Ok(Self::completed(&emitter, false, made).await?)
    }

    #[zbus(signal)]
    async fn completed(
        emitter: &SignalEmitter<'_>,
        dismissed: bool,
        result: Value<'_>,
    ) -> zbus::Result<()>;
}

struct Database {
    locked: bool,
}

#[interface(name = "org.freedesktop.Secret.Collection")]
impl Database {
    #[zbus(property)]
    fn locked(&self) -> bool {
        self.locked
    }
}

fn serve(default: &'static str) -> Connection {
    let default = Default::new(Mutex::new(default));
    let prompt = Prompt {
        makes: default.clone(),
    };
    let service = || {
        connection::Builder::session()?
            .serve_at("/org/freedesktop/secrets", Service { default })?
            .serve_at(DATABASE, Database { locked: true })?
            .serve_at(OPEN, Database { locked: false })?
            .serve_at(PROMPT, prompt)?
            .name("org.freedesktop.secrets")?
            .build()
    };
    service().expect("a name on the private bus")
}

#[test]
fn nothing_found_in_a_locked_database_proves_nothing() {
    let Some(_bus) = enter("prompts::nothing_found_in_a_locked_database_proves_nothing") else {
        return;
    };
    let _service = serve(DATABASE);
    let keyring = keyring();
    let read = keyring.read("a").map(|found| found.is_some());
    assert_eq!(read, Err(StoreError::Locked));
    assert_eq!(keyring.delete("a"), Err(StoreError::Locked));
    assert_eq!(keyring.write("a", b"x"), Err(StoreError::Locked));
}

#[test]
fn nothing_found_where_no_database_is_open_proves_nothing() {
    let Some(_bus) = enter("prompts::nothing_found_where_no_database_is_open_proves_nothing")
    else {
        return;
    };
    let _service = serve("/");
    let keyring = keyring();
    let read = keyring.read("a").map(|found| found.is_some());
    assert_eq!(read, Err(StoreError::NoCollection));
    assert_eq!(keyring.delete("a"), Err(StoreError::NoCollection));
    let written = keyring.write("a", b"x");
    assert_eq!(written, Err(StoreError::NoCollection), "nothing to unlock");
}

#[test]
fn a_click_makes_the_collection_that_is_not_there() {
    let Some(_bus) = enter("prompts::a_click_makes_the_collection_that_is_not_there") else {
        return;
    };
    let _service = serve("/");
    let keyring = keyring();
    assert_eq!(keyring.unlock(), Ok(()), "the prompt was answered");
    let read = keyring.read("a").map(|found| found.is_some());
    assert_ne!(
        read,
        Err(StoreError::NoCollection),
        "the collection exists now"
    );
}
