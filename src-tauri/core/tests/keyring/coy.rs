//! A Secret Service that does not speak of what is locked, as KeePassXC: a search finds nothing
//! in a locked database, and where no database is open there is no collection either.

use std::collections::HashMap;

use vestibule_core::secrets::{SecretStore as _, StoreError};
use zbus::blocking::{Connection, connection};
use zbus::interface;
use zbus::zvariant::OwnedObjectPath;

use crate::daemon::{enter, keyring};

const DATABASE: &str = "/org/freedesktop/secrets/collection/database";

fn path(text: &str) -> OwnedObjectPath {
    OwnedObjectPath::try_from(text.to_owned()).expect("a path")
}

struct Service {
    default: &'static str,
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
        path(self.default)
    }
}

struct Database;

#[interface(name = "org.freedesktop.Secret.Collection")]
impl Database {
    #[zbus(property)]
    fn locked(&self) -> bool {
        true
    }
}

fn serve(default: &'static str) -> Connection {
    let service = || {
        connection::Builder::session()?
            .serve_at("/org/freedesktop/secrets", Service { default })?
            .serve_at(DATABASE, Database)?
            .name("org.freedesktop.secrets")?
            .build()
    };
    service().expect("a name on the private bus")
}

#[test]
fn nothing_found_in_a_locked_database_proves_nothing() {
    let Some(_bus) = enter("coy::nothing_found_in_a_locked_database_proves_nothing") else {
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
    let Some(_bus) = enter("coy::nothing_found_where_no_database_is_open_proves_nothing") else {
        return;
    };
    let _service = serve("/");
    let keyring = keyring();
    let read = keyring.read("a").map(|found| found.is_some());
    assert_eq!(read, Err(StoreError::NoCollection));
    assert_eq!(keyring.delete("a"), Err(StoreError::NoCollection));
}
