//! One process owns the windows. A file lock decides which: the kernel releases it when its
//! holder dies, however that happens. A later launch asks the holder to show itself, and
//! leaves.

use std::path::Path;
use std::time::{Duration, Instant};

use tauri::{AppHandle, Manager as _};
use vestibule_core::lock::Lock;

use crate::StartError;

/// How long a launch tries to reach the process that holds the lock, or to take over from
/// one that is just ending.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(50);

/// Held for as long as this process owns the windows.
pub struct Instance(#[expect(dead_code, reason = "held for its lock")] Lock);

/// Makes this process the owner of the windows. If another one is, that one is asked to
/// show itself and this one ends here.
pub fn claim(app: &AppHandle) -> Result<Instance, StartError> {
    let folder = app.path().app_local_data_dir()?;
    std::fs::create_dir_all(&folder)?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(lock) = Lock::try_take(&folder.join("instance.lock"))? {
            if let Err(error) = door::open(app, &folder) {
                // Nobody can knock, but nobody has to: the lock holds all the same.
                tracing::warn!(%error, "a second launch cannot bring this one to the front");
            }
            return Ok(Instance(lock));
        }
        if door::knock(app, &folder) {
            leave();
        }
        if Instant::now() >= deadline {
            return Err("it is already running and does not answer; end that process first".into());
        }
        std::thread::sleep(PAUSE);
    }
}

/// Ends this process, which has shown nothing and holds nothing. Not by `exit`: its handlers
/// take things down under the threads of GTK and of the runtime, which crashed now and then.
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
