//! Two items with one name, as after merging or restoring keyrings. Both are seen, the next write
//! leaves one, and a deletion none.

use std::collections::HashMap;
use std::sync::Arc;

use vestibule_backend::{Backend, Config};
use vestibule_core::SecretStore as _;
use zbus::blocking::{Connection, Proxy};
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value};

use crate::daemon::{keyring, with_keyring};
use crate::sessions::{run, start};
use vestibule_harness::*;

const SECRETS: &str = "org.freedesktop.secrets";

fn proxy<'a>(bus: &Connection, path: &'a str, interface: &'a str) -> Proxy<'a> {
    Proxy::new(bus, SECRETS, path, interface).expect("the Secret Service")
}

/// Every item with the service's name.
fn items(bus: &Connection) -> Vec<OwnedObjectPath> {
    let service = proxy(
        bus,
        "/org/freedesktop/secrets",
        "org.freedesktop.Secret.Service",
    );
    let all: HashMap<&str, &str> = HashMap::new();
    let (open, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) =
        service.call("SearchItems", &(all,)).expect("a search");
    assert!(locked.is_empty(), "the keyring is open");
    open
}

/// Opens a session with the Secret Service that transfers secrets unencrypted.
fn session_of(bus: &Connection) -> OwnedObjectPath {
    let service = proxy(
        bus,
        "/org/freedesktop/secrets",
        "org.freedesktop.Secret.Service",
    );
    let (_, session): (OwnedValue, OwnedObjectPath) = service
        .call("OpenSession", &("plain", Value::from("")))
        .expect("a session");
    session
}

/// Creates another item with the attributes of the existing one.
fn twin(bus: &Connection, value: &[u8]) {
    let item = items(bus).pop().expect("one");
    let item = proxy(bus, item.as_str(), "org.freedesktop.Secret.Item");
    let attributes: HashMap<String, String> =
        item.get_property("Attributes").expect("its attributes");
    let service = proxy(
        bus,
        "/org/freedesktop/secrets",
        "org.freedesktop.Secret.Service",
    );
    let session = session_of(bus);
    let collection: OwnedObjectPath = service.call("ReadAlias", &("default",)).expect("one");
    let collection = proxy(
        bus,
        collection.as_str(),
        "org.freedesktop.Secret.Collection",
    );
    let properties = HashMap::from([
        (
            "org.freedesktop.Secret.Item.Label",
            Value::from("another of that name"),
        ),
        (
            "org.freedesktop.Secret.Item.Attributes",
            Value::from(attributes),
        ),
    ]);
    let nothing: &[u8] = &[];
    let secret = (
        ObjectPath::from(session),
        nothing,
        value,
        "application/octet-stream",
    );
    let _: (OwnedObjectPath, OwnedObjectPath) = collection
        .call("CreateItem", &(properties, secret, false))
        .expect("another item");
}

#[test]
fn a_write_over_two_of_one_name_leaves_one() {
    let Some(_bus) = with_keyring("duplicates::a_write_over_two_of_one_name_leaves_one") else {
        return;
    };
    let bus = Connection::session().expect("the bus");
    let keyring = keyring();
    keyring.write("a", b"first").expect("written");
    twin(&bus, b"second");
    assert_eq!(items(&bus).len(), 2, "two of one name");
    keyring
        .write("a", b"third")
        .expect("a write succeeds with two items");
    assert_eq!(items(&bus).len(), 1, "one is left");
    let held = keyring.read("a").expect("read").map(|bytes| bytes.to_vec());
    assert_eq!(held.as_deref(), Some(&b"third"[..]));
}

#[test]
fn a_deletion_of_two_of_one_name_leaves_none() {
    let Some(_bus) = with_keyring("duplicates::a_deletion_of_two_of_one_name_leaves_none") else {
        return;
    };
    let bus = Connection::session().expect("the bus");
    let keyring = keyring();
    keyring.write("a", b"first").expect("written");
    twin(&bus, b"second");
    keyring.delete("a").expect("deleted");
    assert_eq!(items(&bus).len(), 0, "none is left");
    assert!(keyring.read("a").expect("read").is_none());
}

/// The value of an item.
fn value(bus: &Connection, item: &OwnedObjectPath) -> Vec<u8> {
    let session = session_of(bus);
    let item = proxy(bus, item.as_str(), "org.freedesktop.Secret.Item");
    let (_, _, value, _): (OwnedObjectPath, Vec<u8>, Vec<u8>, String) =
        item.call("GetSecret", &(session,)).expect("its value");
    value
}

/// Somebody is signed in, and the keyring also has an item with an earlier state of the session.
#[test]
fn a_session_with_two_items_of_one_name_goes_on_and_ends_for_good() {
    let name = "duplicates::a_session_with_two_items_of_one_name_goes_on_and_ends_for_good";
    let Some(_bus) = with_keyring(name) else {
        return;
    };
    run(async {
        let backend = Backend::start(Config::default()).await.expect("starts");
        let folder = tempfile::tempdir().expect("a folder");
        let keyring = Arc::new(keyring());
        let session = start(&backend, &keyring, &folder);
        session.login(login(DEMO)).await.expect("signed in");
        use tokio::task::spawn_blocking as blocking;
        let earlier = blocking(|| {
            let bus = Connection::session().expect("the bus");
            value(&bus, items(&bus).first().expect("one"))
        });
        let earlier = earlier.await.expect("read");
        for _ in 0..2 {
            session.refresh().await.expect("refreshed");
        }
        drop(session);
        let made = blocking(move || {
            let bus = Connection::session().expect("the bus");
            twin(&bus, &earlier);
            items(&bus).len()
        });
        assert_eq!(made.await.expect("made"), 2, "two of one name");
        let session = start(&backend, &keyring, &folder);
        until(&session, "a session from the newest item", is_fresh).await;
        let alive = |backend: &Backend| {
            let sessions = backend.sessions(DEMO);
            sessions.iter().filter(|held| held.ended.is_none()).count()
        };
        assert_eq!(alive(&backend), 1, "no alarm: {:?}", backend.sessions(DEMO));
        session.refresh().await.expect("refreshed");
        session.logout().await;
        let count = || {
            let bus = Connection::session().expect("the bus");
            items(&bus).len()
        };
        soon(
            "an empty keyring, and the session's end at the backend",
            async {
                while alive(&backend) > 0 || blocking(count).await.expect("counted") > 0 {
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            },
        )
        .await;
    });
}
