//! A named pipe with a random name, which the note in the user's own folder holds. Only this user
//! may write to it (the default security of
//! [named pipes](https://learn.microsoft.com/windows/win32/ipc/named-pipe-security-and-access-rights)),
//! and no other computer can reach it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeServer, ServerOptions};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::time::timeout;
use uuid::Uuid;

use super::{ANSWER_TIMEOUT, OnShow, SHOW_REQUEST, SHOWN_ANSWER};

/// The owner's pipe. Dropping it closes it.
pub(super) struct Listener {
    address: String,
    over: Arc<Notify>,
}

impl Listener {
    /// Opens the pipe. Only the owner may call this.
    pub(crate) fn open(_folder: &Path, shown: OnShow) -> io::Result<Self> {
        let address = format!(r"\\.\pipe\instance-{}", Uuid::new_v4().simple());
        let runtime = runtime()?;
        let first = {
            let _entered = runtime.enter();
            ServerOptions::new()
                .first_pipe_instance(true)
                .create(&address)?
        };
        let over = Arc::new(Notify::new());
        let (closed, name) = (over.clone(), address.clone());
        std::thread::Builder::new()
            .name("instance".into())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = closed.notified() => {}
                        ended = serve(first, &name, &shown) => if let Err(error) = ended {
                            tracing::warn!(
                                %error,
                                "the pipe for later launches failed: they cannot bring this \
                                 window to the front"
                            );
                        },
                    }
                });
            })?;
        Ok(Self { address, over })
    }

    /// The pipe's name, for the note.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.over.notify_one();
    }
}

/// Answers each caller in a task of its own, so that the next one can connect meanwhile.
async fn serve(mut server: NamedPipeServer, name: &str, shown: &OnShow) -> io::Result<()> {
    loop {
        let connected = server.connect().await;
        let next = ServerOptions::new().create(name)?;
        let caller = std::mem::replace(&mut server, next);
        // A caller that has disconnected already (`ERROR_NO_DATA`) must not keep later ones out.
        if connected.is_ok() {
            let shown = shown.clone();
            tokio::spawn(async move {
                if let Ok(Ok(true)) = timeout(ANSWER_TIMEOUT, answer(caller)).await {
                    shown();
                }
            });
        }
    }
}

async fn answer(mut caller: NamedPipeServer) -> io::Result<bool> {
    let mut said = [0; SHOW_REQUEST.len()];
    caller.read_exact(&mut said).await?;
    if said != SHOW_REQUEST {
        return Ok(false);
    }
    caller.write_all(SHOWN_ANSWER).await?;
    caller.flush().await?;
    // Closing the pipe would discard what was written, so the caller closes it once it has read.
    let mut rest = [0];
    let _ = caller.read(&mut rest).await;
    Ok(true)
}

/// Windows removes a pipe with the process that made it.
pub(super) fn remove(_address: &str) {}

/// Whether the owner at this address answered. Uses a thread of its own, because the caller may be
/// an async task, which must not block on another runtime.
pub(super) fn ask_to_show(address: &str) -> bool {
    let knocking = || {
        let runtime = runtime()?;
        let heard = runtime.block_on(async { timeout(ANSWER_TIMEOUT, ask(address)).await });
        heard.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    };
    std::thread::scope(|scope| {
        let heard = scope.spawn(knocking).join();
        matches!(heard, Ok(Ok(true)))
    })
}

async fn ask(address: &str) -> io::Result<bool> {
    let mut pipe = ClientOptions::new().open(address)?;
    pipe.write_all(SHOW_REQUEST).await?;
    let mut answer = [0; SHOWN_ANSWER.len()];
    pipe.read_exact(&mut answer).await?;
    Ok(answer == SHOWN_ANSWER)
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}
