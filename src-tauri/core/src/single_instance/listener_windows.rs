//! A named pipe with a random name, which the note in the user's own folder holds. Only this user
//! may write to it (the default security of
//! [named pipes](https://learn.microsoft.com/windows/win32/ipc/named-pipe-security-and-access-rights)),
//! and no other computer can reach it.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::windows::named_pipe::{
    ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions,
};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::time::timeout;
use uuid::Uuid;

use super::handed_over::HEADER;
use super::{ANSWER_TIMEOUT, Arguments, OnLaunch, SHOW_REQUEST, SHOWN_ANSWER, log_unconfirmed};

/// The owner's pipe. Dropping it closes it.
pub(super) struct Listener {
    address: String,
    over: Arc<Notify>,
}

impl Listener {
    /// Opens the pipe. Only the owner may call this.
    pub(crate) fn open(_folder: &Path, launched: OnLaunch) -> io::Result<Self> {
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
                        ended = serve(first, &name, &launched) => if let Err(error) = ended {
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
async fn serve(mut server: NamedPipeServer, name: &str, launched: &OnLaunch) -> io::Result<()> {
    loop {
        let connected = server.connect().await;
        let next = ServerOptions::new().create(name)?;
        let caller = std::mem::replace(&mut server, next);
        // A caller that has disconnected already (`ERROR_NO_DATA`) must not keep later ones out.
        if connected.is_ok() {
            let launched = launched.clone();
            tokio::spawn(converse(caller, launched));
        }
    }
}

/// Answers a launch. One that hands over nothing, or nothing that can be read, has no arguments. They are
/// passed on before they are confirmed: a later launch that begins when this one has ended comes after it.
async fn converse(mut caller: NamedPipeServer, launched: OnLaunch) {
    if let Ok(Ok(true)) = timeout(ANSWER_TIMEOUT, answer(&mut caller)).await {
        let arguments = timeout(ANSWER_TIMEOUT, arguments(&mut caller)).await;
        let arguments = arguments.ok().and_then(Result::ok);
        let is_handed_over = arguments.is_some();
        launched(arguments.unwrap_or_default());
        if is_handed_over {
            let confirmed = async {
                caller.write_all(SHOWN_ANSWER).await?;
                caller.flush().await
            };
            let _ = timeout(ANSWER_TIMEOUT, confirmed).await;
        }
        // Closing the pipe would discard what was written, so the caller closes it once it has read.
        let mut rest = [0];
        let _ = timeout(ANSWER_TIMEOUT, caller.read(&mut rest)).await;
    }
}

async fn answer(caller: &mut NamedPipeServer) -> io::Result<bool> {
    let mut said = [0; SHOW_REQUEST.len()];
    caller.read_exact(&mut said).await?;
    if said != *SHOW_REQUEST {
        return Ok(false);
    }
    caller.write_all(SHOWN_ANSWER).await?;
    caller.flush().await?;
    Ok(true)
}

async fn arguments(caller: &mut NamedPipeServer) -> io::Result<Arguments> {
    let mut header = [0; HEADER];
    caller.read_exact(&mut header).await?;
    let length = Arguments::length(header).ok_or(io::ErrorKind::InvalidData)?;
    let mut body = vec![0; length];
    caller.read_exact(&mut body).await?;
    Arguments::read(&body).ok_or(io::ErrorKind::InvalidData.into())
}

/// Windows removes a pipe with the process that made it.
pub(super) fn remove(_address: &str) {}

/// Asks the owner at this address to show itself, and hands the arguments over. Whether it answered. Uses
/// a thread of its own, because the caller may be an async task, which must not block on another runtime.
pub(super) fn hand_over(address: &str, arguments: &Arguments) -> bool {
    let knocking = || -> io::Result<()> {
        let runtime = runtime()?;
        runtime.block_on(async {
            let mut pipe = in_time(ask(address)).await?;
            if !arguments.is_empty()
                && let Err(error) = in_time(send(&mut pipe, arguments)).await
            {
                log_unconfirmed(&error);
            }
            Ok(())
        })
    };
    std::thread::scope(|scope| {
        let heard = scope.spawn(knocking).join();
        matches!(heard, Ok(Ok(())))
    })
}

async fn in_time<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let done = timeout(ANSWER_TIMEOUT, work).await;
    done.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

async fn ask(address: &str) -> io::Result<NamedPipeClient> {
    let mut pipe = ClientOptions::new().open(address)?;
    pipe.write_all(SHOW_REQUEST).await?;
    hears_yes(&mut pipe).await?;
    Ok(pipe)
}

async fn send(pipe: &mut NamedPipeClient, arguments: &Arguments) -> io::Result<()> {
    pipe.write_all(&arguments.message()).await?;
    hears_yes(pipe).await
}

async fn hears_yes(pipe: &mut NamedPipeClient) -> io::Result<()> {
    let mut answer = [0; SHOWN_ANSWER.len()];
    pipe.read_exact(&mut answer).await?;
    match answer == *SHOWN_ANSWER {
        true => Ok(()),
        false => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}
