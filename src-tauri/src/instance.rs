//! One process owns the windows. A file lock decides which: the kernel releases it when its
//! holder dies, however that happens. A later launch asks the holder to show itself, and
//! leaves. One that can do neither keeps a window, which says why; each time that is asked
//! again, so is this.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tauri::{AppHandle, Manager as _};
use vestibule_core::error::{AuthError, ErrorCode};
use vestibule_core::storage::file_lock::FileLock;
use vestibule_core::unusable;

use crate::{elsewhere, logging};

/// How long a launch tries to reach the process that holds the lock, or to take over from
/// one that is just ending.
pub const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

/// Whether this process owns the windows; it then does until it ends.
#[derive(Default)]
pub struct Instance(Mutex<Option<FileLock>>);

impl Instance {
    /// Makes this process the owner of the windows, unless it is already. If another one is,
    /// that one is asked to show itself and this one ends here.
    ///
    /// # Errors
    /// If the app's folder cannot be used, or the owner has not answered for so long.
    pub fn claim(&self, app: &AppHandle, patience: Duration) -> Result<(), AuthError> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_some() {
            return Ok(());
        }
        match take(app, patience) {
            Ok(lock) => {
                *held = Some(lock);
                logging::keep(app);
                Ok(())
            }
            Err(error) => {
                tracing::error!(%error, "the app cannot start");
                logging::leave_word(app);
                Err(error)
            }
        }
    }
}

fn take(app: &AppHandle, patience: Duration) -> Result<FileLock, AuthError> {
    let folder = app.path().app_local_data_dir().map_err(|error| {
        tracing::error!(%error, "there is no folder for data");
        let words = "This computer names no folder for your data. Give your user a home folder.";
        AuthError::with_message(ErrorCode::CannotStart, words)
    })?;
    let unusable = |error| unusable::folder(&folder, &error);
    std::fs::create_dir_all(&folder).map_err(unusable)?;
    let deadline = Instant::now() + patience;
    loop {
        if let Some(lock) = FileLock::try_take(&folder.join("instance.lock")).map_err(unusable)? {
            if let Err(error) = door::open(app, &folder) {
                // Nobody can knock, but nobody has to: the lock holds all the same.
                tracing::warn!(%error, "a second launch cannot bring this one to the front");
            }
            return Ok(lock);
        }
        if door::knock(app, &folder) {
            elsewhere::remove(app);
            leave();
        }
        if Instant::now() >= deadline {
            let name = app.config().product_name.as_deref().unwrap_or("The app");
            let words = format!(
                "{name} is already running and does not answer. End that process, or sign out of \
                 this computer and in again."
            );
            return Err(AuthError::with_message(ErrorCode::CannotStart, words));
        }
        std::thread::sleep(PAUSE);
    }
}

/// Ends this process, which holds nothing. Not by `exit`: its handlers take things down under
/// the threads of GTK and of the runtime, which crashed now and then.
#[cfg(unix)]
#[allow(unsafe_code)]
fn leave() -> ! {
    // SAFETY: `_exit` takes any status and does not return; nothing runs after it.
    unsafe { libc::_exit(0) }
}

#[cfg(not(unix))]
fn leave() -> ! {
    std::process::exit(0)
}

/// A socket in the app's own folder, where only this user can reach it.
#[cfg(unix)]
mod door {
    use std::io::{Read as _, Write as _};
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::{AppHandle, Duration, Path};
    use crate::window;

    const NAME: &str = "instance.sock";
    const KNOCK: &[u8] = b"show\n";
    const ANSWER: &[u8] = b"ok\n";
    const LIMIT: Duration = Duration::from_secs(2);

    /// Listens for later launches. Only the holder of the lock may call this: it replaces
    /// what an earlier holder left behind.
    pub fn open(app: &AppHandle, folder: &Path) -> std::io::Result<()> {
        let path = folder.join(NAME);
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path)?;
        let app = app.clone();
        std::thread::Builder::new()
            .name("instance".into())
            .spawn(move || {
                for stream in listener.incoming().flatten() {
                    if answer(stream).is_some() {
                        let shown = app.clone();
                        // Windows belong to the main thread.
                        let _ = app.run_on_main_thread(move || window::focus_any(&shown));
                    }
                }
            })?;
        Ok(())
    }

    fn answer(mut stream: UnixStream) -> Option<()> {
        stream.set_read_timeout(Some(LIMIT)).ok()?;
        let mut said = [0; KNOCK.len()];
        stream.read_exact(&mut said).ok()?;
        (said == KNOCK).then_some(())?;
        stream.write_all(ANSWER).ok()
    }

    /// Whether the holder of the lock heard us.
    pub fn knock(_app: &AppHandle, folder: &Path) -> bool {
        let heard = || -> std::io::Result<bool> {
            let mut stream = UnixStream::connect(folder.join(NAME))?;
            stream.set_read_timeout(Some(LIMIT))?;
            stream.write_all(KNOCK)?;
            let mut answer = [0; ANSWER.len()];
            stream.read_exact(&mut answer)?;
            Ok(answer == ANSWER)
        };
        heard().unwrap_or(false)
    }
}

/// On Windows the plugin's message window.
#[cfg(windows)]
mod door {
    use super::{AppHandle, Path};
    use crate::window;

    /// Registers the window that later launches find.
    pub fn open(app: &AppHandle, _folder: &Path) -> tauri::Result<()> {
        app.plugin(tauri_plugin_single_instance::init(|app, _, _| {
            window::focus_any(app);
        }))
    }

    /// Hands over and ends this process, unless no window is found.
    pub fn knock(app: &AppHandle, folder: &Path) -> bool {
        let _ = open(app, folder);
        false
    }
}
