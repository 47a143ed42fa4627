//! Whether and how the proxy's port is listened on. The port stays ours throughout: while it
//! is not listened on a bound socket holds it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use super::Shared;

/// How often a port that was just left is tried again.
const TRIES: u32 = 200;

/// The port's state.
pub(super) enum Door {
    /// Connections are served.
    Open(AbortHandle),
    /// Connections are refused.
    Shut(#[expect(dead_code, reason = "holds the port")] TcpSocket),
    /// The queue of those who wait to be taken in is full.
    Deaf(
        #[expect(dead_code, reason = "holds the port")] TcpListener,
        #[expect(dead_code, reason = "fills the queue")] Vec<TcpStream>,
    ),
    /// Between two of these.
    Gone,
}

impl Drop for Door {
    fn drop(&mut self) {
        if let Self::Open(serving) = self {
            serving.abort();
        }
    }
}

impl Door {
    /// Opens on a free port.
    pub async fn new(shared: &Arc<Shared>) -> io::Result<(Self, SocketAddr)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        Ok((Self::serve(listener, shared), address))
    }

    /// Serves connections again.
    pub async fn open(&mut self, address: SocketAddr, shared: &Arc<Shared>) -> io::Result<()> {
        if matches!(self, Self::Open(_)) {
            return Ok(());
        }
        let socket = self.take(address).await?;
        *self = Self::serve(socket.listen(1024)?, shared);
        Ok(())
    }

    /// Refuses connections.
    pub async fn shut(&mut self, address: SocketAddr) -> io::Result<()> {
        *self = Self::Shut(self.take(address).await?);
        Ok(())
    }

    /// Lets connections wait for ever.
    pub async fn deafen(&mut self, address: SocketAddr) -> io::Result<()> {
        let listener = self.take(address).await?.listen(0)?;
        let mut waiting = Vec::new();
        // The first that does not come about says that the queue is full.
        while let Ok(stream) =
            tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await
        {
            waiting.push(stream?);
        }
        *self = Self::Deaf(listener, waiting);
        Ok(())
    }

    /// Gives the port up and takes it again, without listening.
    async fn take(&mut self, address: SocketAddr) -> io::Result<TcpSocket> {
        *self = Self::Gone;
        let mut tries = 0;
        loop {
            let socket = TcpSocket::new_v4()?;
            socket.set_reuseaddr(true)?;
            match socket.bind(address) {
                Ok(()) => return Ok(socket),
                // The task that listened has yet to be dropped.
                Err(_) if tries < TRIES => tries += 1,
                Err(error) => return Err(error),
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn serve(listener: TcpListener, shared: &Arc<Shared>) -> Self {
        let shared = shared.clone();
        let serving = tokio::spawn(async move {
            // Dropped with this task, and every connection with it.
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    Ok((client, _)) = listener.accept() => {
                        connections.spawn(shared.clone().serve(client));
                    }
                    Some(_) = connections.join_next() => {}
                }
            }
        });
        Self::Open(serving.abort_handle())
    }
}
