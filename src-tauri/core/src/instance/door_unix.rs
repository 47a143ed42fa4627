//! A socket in a folder where only this user can reach it. An address has room for 107 bytes on
//! Linux and for 103 on macOS (`sun_path` in unix(7)), and a folder may have a longer name: the
//! socket is elsewhere then, under a short name, and the note says where.

use std::fs::DirBuilder;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use uuid::Uuid;

use super::{ANSWER, KNOCK, LIMIT, Shown};

const NAME: &str = "instance.sock";

/// Open until it is dropped.
pub(super) struct Door {
    address: String,
    over: Arc<AtomicBool>,
}

impl Door {
    /// Opens it. Only the owner may call this: it replaces what an earlier one has left behind.
    pub fn open(folder: &Path, shown: Shown) -> io::Result<Self> {
        let (path, listener) = bind(folder)?;
        let address = path.into_os_string().into_string();
        let address = address.map_err(|_| io::Error::from(io::ErrorKind::InvalidFilename))?;
        let over = Arc::new(AtomicBool::new(false));
        let closed = over.clone();
        std::thread::Builder::new()
            .name("instance".into())
            .spawn(move || {
                for stream in listener.incoming().flatten() {
                    if closed.load(Ordering::Acquire) {
                        return;
                    }
                    if answer(stream).is_some() {
                        shown();
                    }
                }
            })?;
        Ok(Self { address, over })
    }

    /// For the note.
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        // Wakes the thread, which ends.
        let _ = UnixStream::connect(&self.address);
        remove(&self.address);
    }
}

/// In `folder` where its name is short enough; else where the system has this user's sockets; else
/// in a new folder of our own among the temporary files.
fn bind(folder: &Path) -> io::Result<(PathBuf, UnixListener)> {
    let short = Uuid::new_v4().simple().to_string();
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let runtime = runtime.filter(|runtime| runtime.is_absolute());
    let candidates = [
        Some(folder.join(NAME)),
        runtime.map(|runtime| runtime.join(format!("{short}.sock"))),
    ];
    for path in candidates.into_iter().flatten() {
        let _ = std::fs::remove_file(&path);
        if let Ok(listener) = UnixListener::bind(&path) {
            return Ok((path, listener));
        }
    }
    let own = std::env::temp_dir().join(short);
    // Fails where there is one already: it would be somebody else's.
    DirBuilder::new().mode(0o700).create(&own)?;
    let path = own.join(NAME);
    let listener = UnixListener::bind(&path).inspect_err(|_| remove_folder(&own))?;
    Ok((path, listener))
}

/// Removes what is left of a door that nobody is behind.
pub(super) fn remove(address: &str) {
    use std::os::unix::fs::FileTypeExt as _;
    let path = Path::new(address);
    let is_socket =
        std::fs::symlink_metadata(path).is_ok_and(|about| about.file_type().is_socket());
    if is_socket && std::fs::remove_file(path).is_ok() {
        let folder = path
            .parent()
            .filter(|folder| folder.parent() == Some(&std::env::temp_dir()));
        folder.into_iter().for_each(remove_folder);
    }
}

/// Only where it is empty.
fn remove_folder(folder: &Path) {
    let _ = std::fs::remove_dir(folder);
}

fn answer(mut stream: UnixStream) -> Option<()> {
    stream.set_read_timeout(Some(LIMIT)).ok()?;
    let mut said = [0; KNOCK.len()];
    stream.read_exact(&mut said).ok()?;
    (said == KNOCK).then_some(())?;
    stream.write_all(ANSWER).ok()
}

/// Whether the owner behind this door heard us.
pub(super) fn knock(address: &str) -> bool {
    let heard = || -> io::Result<bool> {
        let mut stream = UnixStream::connect(address)?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.write_all(KNOCK)?;
        let mut answer = [0; ANSWER.len()];
        stream.read_exact(&mut answer)?;
        Ok(answer == ANSWER)
    };
    heard().unwrap_or(false)
}
