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
use std::time::Instant;

use uuid::Uuid;

use super::{ANSWER_TIMEOUT, Arguments, OnLaunch, SHOW_REQUEST, SHOWN_ANSWER, log_unconfirmed};

const NAME: &str = "instance.sock";

/// The owner's socket. Dropping it closes and removes it.
pub(super) struct Listener {
    address: String,
    over: Arc<AtomicBool>,
}

impl Listener {
    /// Opens the socket. Only the owner may call this, because it replaces the socket of an earlier
    /// owner.
    pub(super) fn open(folder: &Path, launched: OnLaunch) -> io::Result<Self> {
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
                    let launched = launched.clone();
                    // In a thread of its own, so that a caller that hangs keeps nobody out. It ends by the
                    // time limit of an answer.
                    let answering = std::thread::Builder::new().name("launch".into());
                    let _ = answering.spawn(move || answer(stream, &launched));
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

/// A connection that is read from until a moment, however slowly the other side writes.
struct Caller {
    stream: UnixStream,
    until: Instant,
}

impl Caller {
    fn new(stream: UnixStream) -> io::Result<Self> {
        stream.set_write_timeout(Some(ANSWER_TIMEOUT))?;
        let until = Instant::now() + ANSWER_TIMEOUT;
        Ok(Self { stream, until })
    }

    fn read<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut read = [0; N];
        self.fill(&mut read)?;
        Ok(read)
    }

    fn fill(&mut self, mut rest: &mut [u8]) -> io::Result<()> {
        while !rest.is_empty() {
            let left = self.until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            self.stream.set_read_timeout(Some(left))?;
            match self.stream.read(rest) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(length) => rest = &mut rest[length..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn hears_yes(&mut self) -> io::Result<()> {
        self.until = Instant::now() + ANSWER_TIMEOUT;
        match self.read()? == *SHOWN_ANSWER {
            true => Ok(()),
            false => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    fn arguments(&mut self) -> io::Result<Arguments> {
        let length = Arguments::length(self.read()?).ok_or(io::ErrorKind::InvalidData)?;
        let mut body = vec![0; length];
        self.fill(&mut body)?;
        Arguments::read(&body).ok_or(io::ErrorKind::InvalidData.into())
    }
}

/// Answers a launch. One that hands over nothing, or nothing that can be read, has no arguments. They are
/// passed on before they are confirmed: a later launch that begins when this one has ended comes after it.
fn answer(stream: UnixStream, launched: &OnLaunch) -> io::Result<()> {
    let mut caller = Caller::new(stream)?;
    if caller.read()? != *SHOW_REQUEST {
        return Ok(());
    }
    caller.stream.write_all(SHOWN_ANSWER)?;
    match caller.arguments() {
        Ok(arguments) => {
            launched(arguments);
            caller.stream.write_all(SHOWN_ANSWER)
        }
        Err(_) => {
            launched(Arguments::default());
            Ok(())
        }
    }
}

/// Asks the owner at this address to show itself, and hands the arguments over. Whether it answered.
pub(super) fn hand_over(address: &str, arguments: &Arguments) -> bool {
    let knock = || -> io::Result<Caller> {
        let mut owner = Caller::new(UnixStream::connect(address)?)?;
        owner.stream.write_all(SHOW_REQUEST)?;
        owner.hears_yes()?;
        Ok(owner)
    };
    let Ok(mut owner) = knock() else {
        return false;
    };
    if !arguments.is_empty() {
        let sent = owner.stream.write_all(&arguments.message());
        if let Err(error) = sent.and_then(|()| owner.hears_yes()) {
            log_unconfirmed(&error);
        }
    }
    true
}
