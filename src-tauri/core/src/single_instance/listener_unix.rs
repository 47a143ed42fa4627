//! A socket in a folder that only this user can reach. A socket's address has at most 107 bytes on
//! Linux and 103 on macOS (`sun_path` in unix(7)). Where the path in the app's folder is longer,
//! the socket is in another folder under a short name, and the note says where.

use std::fs::DirBuilder;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use uuid::Uuid;

use super::{ANSWER_TIMEOUT, OnShow, SHOW_REQUEST, SHOWN_ANSWER};

const NAME: &str = "instance.sock";

/// The owner's socket. Dropping it closes and removes it.
pub(super) struct Listener {
    address: String,
    over: Arc<AtomicBool>,
}

impl Listener {
    /// Opens the socket. Only the owner may call this, because it replaces the socket of an earlier
    /// owner.
    pub(super) fn open(folder: &Path, shown: OnShow) -> io::Result<Self> {
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

    /// The socket's path, for the note.
    pub(super) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        // Wakes the thread, so that it ends.
        let _ = UnixStream::connect(&self.address);
        remove(&self.address);
    }
}

/// Binds a socket in `folder` if the path is short enough; else in the system's folder for this
/// user's sockets; else in a new folder among the temporary files.
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
    // Fails if the folder exists: another user may have made it.
    DirBuilder::new().mode(0o700).create(&own)?;
    let path = own.join(NAME);
    let listener = UnixListener::bind(&path).inspect_err(|_| remove_folder(&own))?;
    Ok((path, listener))
}

/// Removes the socket of an owner that has ended.
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

/// Removes a folder if it is empty.
fn remove_folder(folder: &Path) {
    let _ = std::fs::remove_dir(folder);
}

fn answer(mut stream: UnixStream) -> Option<()> {
    stream.set_read_timeout(Some(ANSWER_TIMEOUT)).ok()?;
    let mut said = [0; SHOW_REQUEST.len()];
    stream.read_exact(&mut said).ok()?;
    (said == SHOW_REQUEST).then_some(())?;
    stream.write_all(SHOWN_ANSWER).ok()
}

/// Whether the owner at this address answered.
pub(super) fn ask_to_show(address: &str) -> bool {
    let heard = || -> io::Result<bool> {
        let mut stream = UnixStream::connect(address)?;
        stream.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        stream.write_all(SHOW_REQUEST)?;
        let mut answer = [0; SHOWN_ANSWER.len()];
        stream.read_exact(&mut answer)?;
        Ok(answer == SHOWN_ANSWER)
    };
    heard().unwrap_or(false)
}
