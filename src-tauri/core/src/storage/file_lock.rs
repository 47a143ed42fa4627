//! A lock with one holder at a time, across processes. The kernel releases it when its holder dies,
//! also by SIGKILL, so no lock is left behind.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
#[cfg(any(test, feature = "testing"))]
use std::time::Duration;

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct FileLock(#[expect(dead_code, reason = "held for its lock")] File);

impl FileLock {
    /// Takes the lock at `path` if nobody holds it; `None` if somebody does.
    ///
    /// # Errors
    /// If the file cannot be made, or the file system has no locks.
    pub fn try_take(path: &Path) -> io::Result<Option<Self>> {
        let mut options = File::options();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Waits for the lock for at most `limit`; `None` if it was not free in that time.
    ///
    /// # Errors
    /// As [`FileLock::try_take`].
    #[cfg(any(test, feature = "testing"))]
    pub async fn take(path: &Path, limit: Duration) -> io::Result<Option<Self>> {
        let deadline = tokio::time::Instant::now() + limit;
        let mut pause = Duration::from_millis(2);
        loop {
            if let Some(lock) = Self::try_take(path)? {
                return Ok(Some(lock));
            }
            if tokio::time::Instant::now() >= deadline {
                return Ok(None);
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn there_is_one_holder_and_it_can_be_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.lock");
        let held = FileLock::try_take(&path).unwrap().expect("nobody holds it");
        assert!(FileLock::try_take(&path).unwrap().is_none());
        assert!(
            FileLock::take(&path, Duration::ZERO)
                .await
                .unwrap()
                .is_none()
        );
        let waiting = tokio::spawn({
            let path = path.clone();
            async move { FileLock::take(&path, Duration::from_secs(60)).await }
        });
        drop(held);
        assert!(waiting.await.unwrap().unwrap().is_some());
    }
}
