//! A running backend, as the test or program that started it holds it: its address, its faults,
//! the requests it has received, and functions that change what it does.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::TcpSocket;

use crate::access::AccessTokens;
use crate::accounts::{self, Account, SecondFactor};
use crate::app::App;
use crate::clock::now;
use crate::config::{Carrier, Config, DeviceBinding, Registration, Tunable};
use crate::demo;
use crate::faults::FaultList;
use crate::issuer::SigningKey;
use crate::limits::Limits;
use crate::mailbox::Mailbox;
use crate::password::Passwords;
use crate::request_log::{RecordedRequest, RequestLog};
use crate::server::Server;
use crate::store::{OpenError, Store};
use crate::{recovery, sessions, totp};

/// How many connections the system holds until they are accepted: what the standard library asks for.
const WAITING_CONNECTIONS: u32 = 128;

/// Why a backend did not start. Each message says in one line what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another program listens on the address.
    #[error("{0} is taken: another program listens there; choose another port")]
    AddressTaken(SocketAddr),
    /// The system refused the address for another reason.
    #[error("cannot listen on {0}: {1}")]
    Address(SocketAddr, #[source] std::io::Error),
    /// The database file could not be opened or brought up to date.
    #[error("cannot use the database {}: {cause}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        cause: String,
    },
    /// The memory, passes and lanes of [`Hashing`] are not values that argon2id accepts.
    #[error("cannot hash passwords this way: {0}")]
    Hashing(String),
}

/// A session as a test sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// The id, as `GET /sessions` has it.
    pub id: String,
    /// `signed_out`, `revoked`, `reuse` or `expired`; absent while the session is valid.
    pub ended: Option<String>,
    /// How many refresh tokens it has been given, the first included.
    pub tokens: u32,
}

/// A running backend. Dropping it stops it at once; [`Backend::stop`] does so in order.
pub struct Backend {
    app: Arc<App>,
    database: PathBuf,
    address: SocketAddr,
    standing: Mutex<Standing>,
    _private: Option<TempDir>,
}

/// Whether it listens.
enum Standing {
    Listening(Server),
    /// It does not. This socket, where there is one, keeps its port meanwhile: the system gives it to
    /// no other program that asks for any free port, or that connects to somewhere.
    Out(Option<TcpSocket>),
}

impl std::fmt::Debug for Backend {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Backend({})", self.url())
    }
}

impl Backend {
    /// Opens the database, creates the demo accounts if asked, and listens.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        let wanted = SocketAddr::new(config.host, config.port);
        let socket = reserve(wanted)?;
        let (database, private) = match &config.database {
            Some(path) => (path.clone(), None),
            None => {
                let folder = tempfile::Builder::new()
                    .prefix("vestibule-backend-")
                    .tempdir()
                    .map_err(|error| unusable(Path::new("(temporary)"), &error))?;
                let path = folder.path().join("backend.sqlite3");
                (path, Some(folder))
            }
        };
        let (opened, config) = {
            let path = database.clone();
            tokio::task::spawn_blocking(move || (open(&path, &config), config))
                .await
                .map_err(|error| unusable(&database, &error))?
        };
        let (store, key, signing, passwords) = opened?;
        let app = Arc::new(App {
            tunable: RwLock::new(Tunable::from(&config)),
            access: AccessTokens::new(&key, config.mark.as_deref()),
            signing,
            store,
            key,
            passwords,
            faults: FaultList::default(),
            seen: RequestLog::new(config.record),
            mailbox: Mailbox::new(config.console),
            limits: Limits::new(config.limits),
            config,
        });
        let server = serve(socket, wanted, &app)?;
        Ok(Self {
            app,
            database,
            address: server.address(),
            standing: Mutex::new(Standing::Listening(server)),
            _private: private,
        })
    }

    /// Stops listening, lets requests in progress end, and writes the log back into the database.
    pub async fn stop(self) {
        self.down().await;
        let store = self.app.store.clone();
        let _ = tokio::task::spawn_blocking(move || store.settle()).await;
    }

    /// Starts an outage: stops listening and drops every connection, but keeps sessions, data and
    /// the port.
    pub async fn down(&self) {
        let before = std::mem::replace(&mut *self.standing(), Standing::Out(None));
        let kept = match before {
            Standing::Listening(server) => {
                server.stop().await;
                reserve(self.address).ok()
            }
            Standing::Out(kept) => kept,
        };
        *self.standing() = Standing::Out(kept);
    }

    /// Ends an outage: listens on the same address again.
    pub async fn up(&self) -> Result<(), StartError> {
        let mut standing = self.standing();
        let Standing::Out(kept) = &mut *standing else {
            return Ok(());
        };
        let socket = kept.take().map_or_else(|| reserve(self.address), Ok)?;
        let server = serve(socket, self.address, &self.app)?;
        *standing = Standing::Listening(server);
        Ok(())
    }

    /// `http://127.0.0.1:4580`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address and port it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How its refresh tokens travel.
    #[must_use]
    pub fn carrier(&self) -> Carrier {
        self.app.config.carrier
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The database file.
    #[must_use]
    pub fn database(&self) -> &Path {
        &self.database
    }

    /// The faults in force; `/faults` shows the same ones.
    #[must_use]
    pub fn faults(&self) -> FaultList {
        self.app.faults.clone()
    }

    /// How many connections are open now, idle ones included.
    #[must_use]
    pub fn connections(&self) -> usize {
        match &*self.standing() {
            Standing::Listening(server) => server.connections(),
            Standing::Out(_) => 0,
        }
    }

    /// How many requests this endpoint has received, those answered by a fault included.
    #[must_use]
    pub fn requests(&self, method: &str, path: &str) -> usize {
        self.app.seen.count(method, path)
    }

    /// How many requests all endpoints have received.
    #[must_use]
    pub fn all_requests(&self) -> usize {
        self.app.seen.total()
    }

    /// Resolves once this endpoint has received the heads of `count` requests. Their bodies may
    /// still be on the way: before reading [`Backend::last_request`], wait for
    /// [`Backend::received`].
    pub async fn reached(&self, method: &str, path: &str, count: usize) {
        self.app.seen.reached(method, path, count).await;
    }

    /// Resolves once this endpoint has received `count` requests with their bodies.
    pub async fn received(&self, method: &str, path: &str, count: usize) {
        self.app.seen.read_whole(method, path, count).await;
    }

    /// The latest request to this endpoint, with the secrets it carried.
    #[must_use]
    pub fn last_request(&self, method: &str, path: &str) -> Option<RecordedRequest> {
        self.recent_requests(method, path).pop()
    }

    /// The latest 64 requests to this endpoint, oldest first.
    #[must_use]
    pub fn recent_requests(&self, method: &str, path: &str) -> Vec<RecordedRequest> {
        self.app.seen.latest(method, path)
    }

    /// The newest code mailed to this address; for an account with an
    /// authenticator app, a code that it will accept now.
    #[must_use]
    pub fn last_code(&self, email: &str) -> Option<String> {
        let account = self.read(|tx| accounts::by_email(tx, email)).flatten();
        match account.and_then(|account| Some((account.totp_secret?, account.totp_last_step))) {
            Some((secret, last)) => totp::usable(&secret, now(), last),
            None => self.app.mailbox.last_code(email),
        }
    }

    /// The newest code mailed to this address.
    #[must_use]
    pub fn last_mailed_code(&self, email: &str) -> Option<String> {
        self.app.mailbox.last_code(email)
    }

    /// The recovery codes of this account that were not used yet.
    #[must_use]
    pub fn recovery_codes(&self, email: &str) -> Vec<String> {
        let account = self.read(|tx| accounts::by_email(tx, email)).flatten();
        let Some(account) = account.filter(|account| account.totp_secret.is_some()) else {
            return Vec::new();
        };
        let key = self.app.key.clone();
        let unused = self.read(move |tx| recovery::unused(tx, &key, &account.id));
        let unused = unused.unwrap_or_default().into_iter();
        unused.map(|(_, code)| code).collect()
    }

    /// Creates an account whose address is verified and which can sign in at once.
    pub fn add_account(&self, email: &str, password: &str, name: &str, roles: &[&str]) -> bool {
        let Ok(hash) = self.app.passwords.hash_here(password) else {
            return false;
        };
        let mut account = Account::new(email.to_lowercase(), name.into(), hash, now());
        account.email_verified = true;
        account.second_factor = SecondFactor::None;
        account.roles = roles.iter().map(|role| (*role).to_owned()).collect();
        self.read(|tx| accounts::create(tx, &account))
            .unwrap_or(false)
    }

    /// Blocks an account: its sessions are revoked and sign-ins get `ACCOUNT_BLOCKED`.
    pub fn block(&self, email: &str) -> bool {
        self.read(|tx| {
            if let Some(account) = accounts::by_email(tx, email)? {
                sessions::revoke_all(tx, &account.id)?;
            }
            accounts::set_blocked(tx, email, true)
        })
        .unwrap_or(false)
    }

    /// Undoes [`Backend::block`]; the sessions stay revoked.
    pub fn unblock(&self, email: &str) -> bool {
        self.read(|tx| accounts::set_blocked(tx, email, false))
            .unwrap_or(false)
    }

    /// Gives an account these roles and no others. The endpoints apply them at once; a session
    /// reports them after its next refresh.
    pub fn set_roles(&self, email: &str, roles: &[&str]) -> bool {
        self.read(|tx| accounts::set_roles(tx, email, roles))
            .unwrap_or(false)
    }

    /// Revokes every session of an account, as its owner would from another device. Returns how
    /// many there were.
    pub fn revoke_session(&self, email: &str) -> usize {
        self.read(|tx| match accounts::by_email(tx, email)? {
            Some(account) => sessions::revoke_all(tx, &account.id),
            None => Ok(0),
        })
        .unwrap_or(0)
    }

    /// Makes every refresh token issued so far expire.
    pub fn expire_refresh_tokens(&self) {
        self.read(|tx| tx.execute("UPDATE refresh_tokens SET expires_at = 0", []));
    }

    /// Makes every access token issued so far expire.
    pub fn expire_access_tokens(&self) {
        // Tokens issued in this very millisecond expire too.
        self.tune(|rules| rules.access_floor = now() + 1);
        while now() <= self.app.rules().access_floor {
            std::thread::yield_now();
        }
    }

    /// Every session an account has had, oldest first.
    #[must_use]
    pub fn sessions(&self, email: &str) -> Vec<SessionRecord> {
        let listed = self.read(|tx| {
            tx.prepare(
                "SELECT s.id, s.ended,
                     (SELECT count(*) FROM refresh_tokens t WHERE t.session = s.id)
                 FROM sessions s JOIN accounts a ON a.id = s.account
                 WHERE a.email = ?1 ORDER BY s.created_at, s.id",
            )?
            .query_map([email], |row| {
                Ok(SessionRecord {
                    id: row.get(0)?,
                    ended: row.get(1)?,
                    tokens: row.get(2)?,
                })
            })?
            .collect()
        });
        listed.unwrap_or_default()
    }

    /// For how long a used refresh token, sent again, still gets its successor. Zero: not at all.
    pub fn set_grace(&self, grace: Duration) {
        self.tune(|rules| rules.grace = grace);
    }

    /// The lifetime of access tokens issued from now on.
    pub fn set_access_ttl(&self, ttl: Duration) {
        self.tune(|rules| rules.access_ttl = ttl);
    }

    /// The lifetime of refresh tokens issued from now on.
    pub fn set_refresh_ttl(&self, ttl: Duration) {
        self.tune(|rules| rules.refresh_ttl = ttl);
    }

    /// The lifetime of one-time codes sent from now on.
    pub fn set_otp_ttl(&self, ttl: Duration) {
        self.tune(|rules| rules.otp_ttl = ttl);
    }

    /// The least time between two codes for the same account.
    pub fn set_resend_interval(&self, interval: Duration) {
        self.tune(|rules| rules.resend_interval = interval);
    }

    /// How much of the device record a refresh must repeat.
    pub fn set_device_binding(&self, binding: DeviceBinding) {
        self.tune(|rules| rules.device_binding = binding);
    }

    /// What a registration leads to.
    pub fn set_registration(&self, registration: Registration) {
        self.tune(|rules| rules.registration = registration);
    }

    fn tune(&self, change: impl FnOnce(&mut Tunable)) {
        let tunable = &self.app.tunable;
        change(&mut tunable.write().unwrap_or_else(PoisonError::into_inner));
    }

    fn read<T>(
        &self,
        work: impl FnOnce(&rusqlite::Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Option<T> {
        let done = self.app.store.run_here(work);
        done.inspect_err(|error| tracing::error!(%error, "the database failed"))
            .ok()
    }

    fn standing(&self) -> std::sync::MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

type Opened = (Store, crate::secret::Key, SigningKey, Passwords);

fn open(path: &Path, config: &Config) -> Result<Opened, StartError> {
    let passwords = Passwords::new(config.hashing).map_err(StartError::Hashing)?;
    let broken = |error: OpenError| unusable(path, &error);
    let store = Store::open(path, config.durable).map_err(broken)?;
    let key = store.key().map_err(|error| unusable(path, &error))?;
    if config.demo {
        demo::seed(&store, &passwords).map_err(|error| unusable(path, &error))?;
    }
    let signing =
        SigningKey::of(&store, config.mark.as_deref()).map_err(|error| unusable(path, &error))?;
    Ok((store, key, signing, passwords))
}

fn unusable(path: &Path, cause: &dyn std::fmt::Display) -> StartError {
    StartError::Database {
        path: path.to_owned(),
        cause: cause.to_string(),
    }
}

/// Takes the address without listening yet.
fn reserve(address: SocketAddr) -> Result<TcpSocket, StartError> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    };
    let bound = socket.and_then(|socket| {
        // Old connections that wait for their end do not keep the address, as for any server on Unix.
        // On Windows this would take it from another program.
        #[cfg(unix)]
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(socket)
    });
    bound.map_err(|error| no_address(address, error))
}

fn serve(socket: TcpSocket, address: SocketAddr, app: &Arc<App>) -> Result<Server, StartError> {
    let listening = socket.listen(WAITING_CONNECTIONS);
    listening
        .and_then(|listener| Server::start(listener, app))
        .map_err(|error| no_address(address, error))
}

fn no_address(address: SocketAddr, error: std::io::Error) -> StartError {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => StartError::AddressTaken(address),
        _ => StartError::Address(address, error),
    }
}
