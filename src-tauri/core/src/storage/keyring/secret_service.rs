//! Checks the Secret Service before the store uses it.
//!
//! The store's own calls have no time limit: a service that hangs blocks them for ever, and a
//! locked one blocks them as long as its password prompt is open, even if it was unlocked in
//! another way. So the service is first asked here, on a connection with a time limit, whether it
//! would do what is wanted without a prompt. A prompt is shown only if the user has asked for it,
//! one at a time.
//!
//! A prompt that is no longer needed stays open, because gnome-keyring 42 crashes when it is told
//! to dismiss it.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::de::DeserializeOwned;
use zbus::MatchRule;
use zbus::blocking::{Connection, MessageIterator, connection};
use zbus::zvariant::{DynamicType, OwnedObjectPath, OwnedValue, Type, Value};

use crate::secrets::StoreError;

const NAME: &str = "org.freedesktop.secrets";
const SERVICE: &str = "org.freedesktop.Secret.Service";
const COLLECTION: &str = "org.freedesktop.Secret.Collection";
const PROMPT: &str = "org.freedesktop.Secret.Prompt";
const PROPERTIES: &str = "org.freedesktop.DBus.Properties";
const ROOT: &str = "/org/freedesktop/secrets";
/// The path that means "none" on D-Bus.
const NO_OBJECT: &str = "/";

/// The time limit of a call. Less than [`crate::storage::bounded_store::STORE_CALL_TIMEOUT`], so
/// that a service that hangs costs no thread.
const CALL_TIMEOUT: Duration = Duration::from_secs(2);

/// How long to wait for a prompt that was just shown.
const PROMPT_WAIT: Duration = Duration::from_millis(2_500);

/// What the store wants to do.
pub(super) struct ItemQuery<'a> {
    /// The attribute `service` of the store's items.
    pub service: &'a str,
    /// The attribute `username` of the item; `None` means all of them.
    pub account: Option<&'a str>,
}

/// The check, with its connection and the prompt that was shown last.
#[derive(Default)]
pub(super) struct SecretService {
    connection: Mutex<Option<Connection>>,
    prompt: Mutex<Option<Prompt>>,
}

/// A prompt that was shown.
#[derive(Clone)]
struct Prompt {
    /// The bus name of the daemon that shows it. The prompt ends with that daemon.
    daemon: String,
    over: Arc<(Mutex<bool>, Condvar)>,
}

impl Prompt {
    fn is_over(&self) -> bool {
        *lock(&self.over.0)
    }

    fn end(&self) {
        *lock(&self.over.0) = true;
        self.over.1.notify_all();
    }

    fn wait(&self) {
        let (over, bell) = &*self.over;
        // However it ends, the next check finds the result.
        let _ = bell.wait_timeout_while(lock(over), PROMPT_WAIT, |over| !*over);
    }
}

impl SecretService {
    /// `Ok` if the service would do it without a prompt.
    pub(super) fn check(&self, query: &ItemQuery<'_>) -> Result<(), StoreError> {
        self.with_service(|service| {
            Ok(match service.missing_access(query)? {
                None => Ok(()),
                Some(MissingAccess::Locked(_)) => Err(StoreError::Locked),
                Some(MissingAccess::NoCollection) => Err(StoreError::NoCollection),
            })
        })
    }

    /// Shows the prompt if one is needed and none is open, and waits for a moment. If there is no
    /// collection, the prompt makes the default one.
    pub(super) fn unlock(&self, query: &ItemQuery<'_>) -> Result<(), StoreError> {
        let open = self.with_service(|service| match service.missing_access(query)? {
            Some(missing_access) => self.show(service, &missing_access).map(Ok),
            None => Ok(Ok(None)),
        })?;
        if let Some(open) = open {
            open.wait();
        }
        self.check(query)
    }

    /// Takes the connection out, so that the caller can close it on a suitable thread.
    pub(super) fn close(&self) -> Option<Connection> {
        lock(&self.connection).take()
    }

    /// Shows a prompt, or finds the one that is open; `None` if none is needed.
    fn show(
        &self,
        service: &Service<'_>,
        missing_access: &MissingAccess,
    ) -> zbus::Result<Option<Prompt>> {
        let daemon = service.owner()?;
        let mut prompt = lock(&self.prompt);
        if let Some(open) = &*prompt
            && open.daemon == daemon
            && !open.is_over()
        {
            return Ok(Some(open.clone()));
        }
        let path = match missing_access {
            MissingAccess::Locked(locked) => service.unlock(locked)?,
            MissingAccess::NoCollection => service.make_default()?,
        };
        if path.as_str() == NO_OBJECT {
            return Ok(None);
        }
        let shown = Prompt {
            daemon,
            over: Arc::default(),
        };
        service.subscribe_to_prompt(&path, shown.clone())?;
        service.call::<()>(path.as_str(), PROMPT, "Prompt", &("",))?;
        *prompt = Some(shown.clone());
        Ok(Some(shown))
    }

    fn with_service<T>(
        &self,
        work: impl Fn(&Service<'_>) -> zbus::Result<Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let timed_out = |error: &std::io::Error| error.kind() == std::io::ErrorKind::TimedOut;
        let kept = lock(&self.connection).clone();
        let reused = kept.is_some();
        let result = match self.try_service(kept, &work) {
            // A restarted bus leaves the connection dead.
            Err(zbus::Error::InputOutput(error)) if reused && !timed_out(&error) => {
                self.try_service(None, &work)
            }
            result => result,
        };
        match result {
            Ok(result) => result,
            Err(zbus::Error::InputOutput(error)) if timed_out(&error) => {
                tracing::warn!("the Secret Service did not answer in time");
                Err(StoreError::TimedOut)
            }
            Err(error) => {
                tracing::warn!(%error, "the Secret Service cannot be reached");
                Err(StoreError::Absent)
            }
        }
    }

    fn try_service<T>(
        &self,
        kept: Option<Connection>,
        work: impl Fn(&Service<'_>) -> zbus::Result<T>,
    ) -> zbus::Result<T> {
        let connection = match kept {
            Some(connection) => connection,
            None => {
                let made = connection::Builder::session()?
                    .method_timeout(CALL_TIMEOUT)
                    .build()?;
                *lock(&self.connection) = Some(made.clone());
                made
            }
        };
        work(&Service(&connection))
    }
}

/// Why the service would need a prompt.
enum MissingAccess {
    /// These have to be unlocked first.
    Locked(Vec<OwnedObjectPath>),
    /// There is no collection that could hold an item.
    NoCollection,
}

/// The calls of the Secret Service that are needed here.
struct Service<'a>(&'a Connection);

impl Service<'_> {
    /// What keeps the service from doing what is wanted. An empty search result proves nothing
    /// while the default collection is locked or missing: KeePassXC lists no item of a locked
    /// database, and no collection while no database is open.
    fn missing_access(&self, query: &ItemQuery<'_>) -> zbus::Result<Option<MissingAccess>> {
        let mut attributes = HashMap::from([("service", query.service)]);
        attributes.extend(query.account.map(|account| ("username", account)));
        let (open, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) =
            self.call(ROOT, SERVICE, "SearchItems", &(attributes,))?;
        if !locked.is_empty() {
            return Ok(Some(MissingAccess::Locked(locked)));
        }
        if !open.is_empty() {
            return Ok(None);
        }
        let default: OwnedObjectPath = self.call(ROOT, SERVICE, "ReadAlias", &("default",))?;
        if default.as_str() == NO_OBJECT {
            // The store does not make one: it would take this state for a lock.
            return Ok(Some(MissingAccess::NoCollection));
        }
        let is_locked: OwnedValue =
            self.call(default.as_str(), PROPERTIES, "Get", &(COLLECTION, "Locked"))?;
        let is_locked = bool::try_from(is_locked)?;
        Ok(is_locked.then(|| MissingAccess::Locked(vec![default])))
    }

    /// The prompt that unlocks these objects.
    fn unlock(&self, locked: &[OwnedObjectPath]) -> zbus::Result<OwnedObjectPath> {
        let (_, prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) =
            self.call(ROOT, SERVICE, "Unlock", &(locked,))?;
        Ok(prompt)
    }

    /// The prompt that makes the default collection, with the same arguments as libsecret's.
    fn make_default(&self) -> zbus::Result<OwnedObjectPath> {
        let label = format!("{COLLECTION}.Label");
        let properties = HashMap::from([(label.as_str(), Value::from("Default keyring"))]);
        let asked = (properties, "default");
        let (_, prompt): (OwnedObjectPath, OwnedObjectPath) =
            self.call(ROOT, SERVICE, "CreateCollection", &asked)?;
        Ok(prompt)
    }

    /// Marks `shown` as over when the prompt at `path` ends, from a thread that waits for its
    /// signal.
    fn subscribe_to_prompt(&self, path: &OwnedObjectPath, shown: Prompt) -> zbus::Result<()> {
        let completed = MatchRule::builder()
            .msg_type(zbus::message::Type::Signal)
            .interface(PROMPT)?
            .member("Completed")?
            .path(path.clone())?
            .build();
        let mut signals = MessageIterator::for_match_rule(completed, self.0, Some(1))?;
        std::thread::Builder::new()
            .name("keyring prompt".into())
            .spawn(move || {
                let _ = signals.next();
                shown.end();
            })?;
        Ok(())
    }

    /// The bus name of the daemon that owns the service's name now.
    fn owner(&self) -> zbus::Result<String> {
        let bus = "org.freedesktop.DBus";
        let path = "/org/freedesktop/DBus";
        let answer = self
            .0
            .call_method(Some(bus), path, Some(bus), "GetNameOwner", &(NAME,))?;
        answer.body().deserialize()
    }

    fn call<T: DeserializeOwned + Type>(
        &self,
        path: &str,
        interface: &str,
        method: &str,
        arguments: &(impl serde::Serialize + DynamicType),
    ) -> zbus::Result<T> {
        let answer = self
            .0
            .call_method(Some(NAME), path, Some(interface), method, arguments)?;
        answer.body().deserialize()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
