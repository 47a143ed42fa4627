//! The SQLite file: one connection behind a lock, used from blocking threads only.
//!
//! Every use is one immediate transaction that commits unless SQLite itself failed. A refusal
//! (a wrong password, a used token) is a value, not a failure: what it wrote, such as a counted
//! try, is kept.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::error::Refusal;
use crate::secret::{Key, random};

/// The migrations of the schema, in order; `user_version` of a file counts those it has.
const MIGRATIONS: &[&str] = &[
    include_str!("schema/0001_start.sql"),
    include_str!("schema/0002_attacks.sql"),
    include_str!("schema/0003_recovery.sql"),
];

/// The open database. Clones share it.
#[derive(Clone)]
pub(crate) struct Store(Arc<Mutex<Connection>>);

impl Store {
    /// Opens or creates the file, readable by its owner only, and applies missing migrations.
    pub fn open(path: &Path, durable: bool) -> Result<Self, OpenError> {
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder)?;
        }
        private(path)?;
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        let sync = if durable { "FULL" } else { "NORMAL" };
        connection.pragma_update(None, "synchronous", sync)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.set_prepared_statement_cache_capacity(64);
        migrate(&mut connection)?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// Runs `work` in one transaction on a blocking thread. Once begun it completes even if the
    /// caller is dropped, as when a client hangs up.
    pub async fn run<T, F>(&self, work: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        let store = self.clone();
        tokio::task::spawn_blocking(move || store.run_here(work))
            .await
            .map_err(|stopped| Refusal::internal("a database task stopped", &stopped))?
            .map_err(|failed| Refusal::internal("the database failed", &failed))
    }

    /// Does the same on this thread; for the start and for tests.
    pub fn run_here<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        // A panic rolled its transaction back, so the connection is in order.
        let mut connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let value = work(&transaction)?;
        transaction.commit()?;
        Ok(value)
    }

    /// Writes the write-ahead log back into the file; waits for a transaction that still runs.
    pub fn settle(&self) {
        let connection = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let folded = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        if let Err(error) = folded {
            tracing::debug!(%error, "the write-ahead log stays for the next start");
        }
    }

    /// The file's own key, created at its first start, so that tokens stay valid after a restart.
    pub fn key(&self) -> rusqlite::Result<Key> {
        self.run_here(|tx| {
            tx.execute(
                "INSERT OR IGNORE INTO keys (name, value) VALUES ('main', ?1)",
                [random::<32>()],
            )?;
            tx.query_row("SELECT value FROM keys WHERE name = 'main'", [], |row| {
                row.get::<_, [u8; 32]>(0)
            })
            .map(Key::new)
        })
    }
}

/// Why the database could not be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("{0}")]
    File(#[from] std::io::Error),
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("it was written by a newer version (schema {found}, this one knows {known})")]
    Newer { found: u32, known: u32 },
}

fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    if found > known {
        return Err(OpenError::Newer { found, known });
    }
    for step in MIGRATIONS.iter().skip(found as usize) {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", known)?;
    transaction.commit()?;
    Ok(())
}

/// Creates the file with mode 0600 before SQLite opens it; SQLite's log files inherit the mode.
fn private(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_its_key_and_refuses_a_newer_schema() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("made/on/demand.sqlite3");
        let first = Store::open(&path, false).expect("opens");
        let sealed = first.key().expect("a key").seal("x", &[]);
        drop(first);

        let again = Store::open(&path, false).expect("opens again");
        assert!(again.key().expect("a key").opens("x", &[], &sealed));
        again
            .run_here(|tx| tx.pragma_update(None, "user_version", 99))
            .expect("written");
        drop(again);

        let refused = Store::open(&path, false).err().expect("refused");
        assert!(refused.to_string().contains("newer"), "{refused}");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_reads_the_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.sqlite3");
        let _store = Store::open(&path, false).expect("opens");
        for file in ["a.sqlite3", "a.sqlite3-wal", "a.sqlite3-shm"] {
            let mode = std::fs::metadata(folder.path().join(file))
                .expect("exists")
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
    }
}
