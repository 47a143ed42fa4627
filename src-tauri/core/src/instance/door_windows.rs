//! A named pipe under a name that nobody can guess, which the note in the user's own folder tells.
//! Only this user may write to a pipe of theirs (the default security of
//! [named pipes](https://learn.microsoft.com/windows/win32/ipc/named-pipe-security-and-access-rights)),
//! and no other computer can.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeServer, ServerOptions};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::time::timeout;
use uuid::Uuid;

use super::{ANSWER, KNOCK, LIMIT, Shown};

/// Open until it is dropped.
pub(super) struct Door {
    address: String,
    over: Arc<Notify>,
}

impl Door {
    /// Opens it. Only the owner may call this.
    pub fn open(_folder: &Path, shown: Shown) -> io::Result<Self> {
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
                            tracing::warn!(%error, "a second launch is not heard any more");
                        },
                    }
                });
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
        self.over.notify_one();
    }
}

/// Answers each caller in a task of its own: the next can knock while one is answered.
async fn serve(mut server: NamedPipeServer, name: &str, shown: &Shown) -> io::Result<()> {
    loop {
        let connected = server.connect().await;
        let next = ServerOptions::new().create(name)?;
        let caller = std::mem::replace(&mut server, next);
        // A caller that has given up already (`ERROR_NO_DATA`) is no reason to hear nobody else.
        if connected.is_ok() {
            let shown = shown.clone();
            tokio::spawn(async move {
                if let Ok(Ok(true)) = timeout(LIMIT, answer(caller)).await {
                    shown();
                }
            });
        }
    }
}

async fn answer(mut caller: NamedPipeServer) -> io::Result<bool> {
    let mut said = [0; KNOCK.len()];
    caller.read_exact(&mut said).await?;
    if said != KNOCK {
        return Ok(false);
    }
    caller.write_all(ANSWER).await?;
    caller.flush().await?;
    // What was written is lost with the pipe: the caller closes it when it has read.
    let mut rest = [0];
    let _ = caller.read(&mut rest).await;
    Ok(true)
}

/// A pipe goes with the process that made it.
pub(super) fn remove(_address: &str) {}

/// Whether the owner behind this door heard us. On a thread of its own: who knocks may be a task.
pub(super) fn knock(address: &str) -> bool {
    let knocking = || {
        let runtime = runtime()?;
        let heard = runtime.block_on(async { timeout(LIMIT, ask(address)).await });
        heard.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
    };
    std::thread::scope(|scope| {
        let heard = scope.spawn(knocking).join();
        matches!(heard, Ok(Ok(true)))
    })
}

async fn ask(address: &str) -> io::Result<bool> {
    let mut pipe = ClientOptions::new().open(address)?;
    pipe.write_all(KNOCK).await?;
    let mut answer = [0; ANSWER.len()];
    pipe.read_exact(&mut answer).await?;
    Ok(answer == ANSWER)
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}
