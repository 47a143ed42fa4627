//! A look at the Secret Service before the store is let in.
//!
//! The store's calls have no bound: a service that hangs keeps them for ever, and one that is
//! locked for as long as its password prompt is open, even after it was unlocked by another
//! hand. So the service is asked here first, on a connection whose calls are bounded, whether
//! it would do what is wanted without a prompt. A prompt is shown only when the user has
//! asked for it, one at a time.
//!
//! One that has become needless stays open: gnome-keyring 42 crashes when it is told to
//! dismiss it.

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
/// "None" where D-Bus wants a path.
const NOWHERE: &str = "/";

/// The bound of a call. Less than [`crate::storage::bounded_store::CALL_LIMIT`], so that a service that hangs
/// costs no thread.
const LIMIT: Duration = Duration::from_secs(2);

/// How long a prompt that was just shown is waited for.
const ANSWERED: Duration = Duration::from_millis(2_500);

/// What is wanted of the service.
pub struct Wish<'a> {
    /// As the store files its items.
    pub service: &'a str,
    /// Likewise; `None` means all of them.
    pub account: Option<&'a str>,
}

/// The look, and what it has to remember.
#[derive(Default)]
pub struct SecretService {
    connection: Mutex<Option<Connection>>,
    prompt: Mutex<Option<Prompt>>,
}

/// A prompt that was shown.
#[derive(Clone)]
struct Prompt {
    /// Whose it is: it dies with its daemon.
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
        // However it ends, the next look tells what has come of it.
        let _ = bell.wait_timeout_while(lock(over), ANSWERED, |over| !*over);
    }
}

impl SecretService {
    /// `Ok` if the service would fulfil the wish without asking anybody.
    pub fn pass(&self, wish: &Wish<'_>) -> Result<(), StoreError> {
        self.with_service(|service| {
            Ok(match service.obstacle(wish)? {
                None => Ok(()),
                Some(Obstacle::Locked(_)) => Err(StoreError::Locked),
                Some(Obstacle::NoCollection) => Err(StoreError::NoCollection),
            })
        })
    }

    /// Shows the prompt where one is needed, unless it is open, and waits for a moment. Where
    /// there is no collection it is the one that makes the default.
    pub fn unlock(&self, wish: &Wish<'_>) -> Result<(), StoreError> {
        let open = self.with_service(|service| match service.obstacle(wish)? {
            Some(obstacle) => self.show(service, &obstacle).map(Ok),
            None => Ok(Ok(None)),
        })?;
        if let Some(open) = open {
            open.wait();
        }
        self.pass(wish)
    }

    /// Takes the connection out, for whoever has to close it in the right place.
    pub fn close(&self) -> Option<Connection> {
        lock(&self.connection).take()
    }

    /// The prompt that is open now; `None` if none was needed.
    fn show(&self, service: &Service<'_>, obstacle: &Obstacle) -> zbus::Result<Option<Prompt>> {
        let daemon = service.owner()?;
        let mut prompt = lock(&self.prompt);
        if let Some(open) = &*prompt
            && open.daemon == daemon
            && !open.is_over()
        {
            return Ok(Some(open.clone()));
        }
        let path = match obstacle {
            Obstacle::Locked(locked) => service.unlock(locked)?,
            Obstacle::NoCollection => service.make_default()?,
        };
        if path.as_str() == NOWHERE {
            return Ok(None);
        }
        let shown = Prompt {
            daemon,
            over: Arc::default(),
        };
        service.follow(&path, shown.clone())?;
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
            // A bus that was restarted leaves the connection dead.
            Err(zbus::Error::InputOutput(error)) if reused && !timed_out(&error) => {
                self.try_service(None, &work)
            }
            result => result,
        };
        match result {
            Ok(result) => result,
            Err(zbus::Error::InputOutput(error)) if timed_out(&error) => {
                tracing::warn!("the keyring does not answer");
                Err(StoreError::TimedOut)
            }
            Err(_) => {
                tracing::warn!("there is no keyring to be reached");
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
                    .method_timeout(LIMIT)
                    .build()?;
                *lock(&self.connection) = Some(made.clone());
                made
            }
        };
        work(&Service(&connection))
    }
}

/// Why a wish would not be fulfilled as it is.
enum Obstacle {
    /// These want to be unlocked first.
    Locked(Vec<OwnedObjectPath>),
    /// There is nothing that could hold an item.
    NoCollection,
}

/// The Secret Service as far as it is needed here.
struct Service<'a>(&'a Connection);

impl Service<'_> {
    /// What stands between the wish and its fulfilment. That nothing is found proves nothing
    /// while the default collection is locked, or there is none: KeePassXC lists no item of
    /// a locked database, and no collection where no database is open.
    fn obstacle(&self, wish: &Wish<'_>) -> zbus::Result<Option<Obstacle>> {
        let mut attributes = HashMap::from([("service", wish.service)]);
        attributes.extend(wish.account.map(|account| ("username", account)));
        let (open, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) =
            self.call(ROOT, SERVICE, "SearchItems", &(attributes,))?;
        if !locked.is_empty() {
            return Ok(Some(Obstacle::Locked(locked)));
        }
        if !open.is_empty() {
            return Ok(None);
        }
        let default: OwnedObjectPath = self.call(ROOT, SERVICE, "ReadAlias", &("default",))?;
        if default.as_str() == NOWHERE {
            // The store makes none: it would take that for a lock.
            return Ok(Some(Obstacle::NoCollection));
        }
        let is_locked: OwnedValue =
            self.call(default.as_str(), PROPERTIES, "Get", &(COLLECTION, "Locked"))?;
        let is_locked = bool::try_from(is_locked)?;
        Ok(is_locked.then(|| Obstacle::Locked(vec![default])))
    }

    /// The prompt that unlocks these.
    fn unlock(&self, locked: &[OwnedObjectPath]) -> zbus::Result<OwnedObjectPath> {
        let (_, prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) =
            self.call(ROOT, SERVICE, "Unlock", &(locked,))?;
        Ok(prompt)
    }

    /// The prompt that makes the default collection, as libsecret asks for it.
    fn make_default(&self) -> zbus::Result<OwnedObjectPath> {
        let label = format!("{COLLECTION}.Label");
        let properties = HashMap::from([(label.as_str(), Value::from("Default keyring"))]);
        let asked = (properties, "default");
        let (_, prompt): (OwnedObjectPath, OwnedObjectPath) =
            self.call(ROOT, SERVICE, "CreateCollection", &asked)?;
        Ok(prompt)
    }

    /// Ends `shown` when the prompt at `path` does, on a thread that the service keeps.
    fn follow(&self, path: &OwnedObjectPath, shown: Prompt) -> zbus::Result<()> {
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

    /// Who has the name now.
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
