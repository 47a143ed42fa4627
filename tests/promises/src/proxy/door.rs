//! Whether and how the proxy listens on its port. It keeps the port all the time: while it does not
//! listen, a bound socket holds it.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{AbortHandle, JoinSet};

use super::Shared;

/// How often binding a port that was just released is tried.
const TRIES: u32 = 200;

/// The port's state.
pub(super) enum Door {
    /// Connections are served.
    Open(AbortHandle),
    /// Connections are refused.
    Shut(#[expect(dead_code, reason = "holds the port")] TcpSocket),
    /// The queue of connections that wait to be accepted is full.
    Deaf(
        #[expect(dead_code, reason = "holds the port")] TcpListener,
        #[expect(dead_code, reason = "fills the queue")] Vec<TcpStream>,
    ),
    /// Between two of these states.
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
    /// Listens on a free port.
    pub async fn new(shared: &Arc<Shared>) -> io::Result<(Self, SocketAddr)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        Ok((Self::serve(listener, shared), address))
    }

    /// Accepts connections again.
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

    /// Leaves new connections waiting for ever.
    pub async fn deafen(&mut self, address: SocketAddr) -> io::Result<()> {
        let listener = self.take(address).await?.listen(0)?;
        let mut waiting = Vec::new();
        // The first connection that is not established shows that the queue is full.
        while let Ok(stream) =
            tokio::time::timeout(Duration::from_millis(300), TcpStream::connect(address)).await
        {
            waiting.push(stream?);
        }
        *self = Self::Deaf(listener, waiting);
        Ok(())
    }

    /// Releases the port and binds it again, without listening.
    async fn take(&mut self, address: SocketAddr) -> io::Result<TcpSocket> {
        *self = Self::Gone;
        let mut tries = 0;
        loop {
            let socket = TcpSocket::new_v4()?;
            socket.set_reuseaddr(true)?;
            match socket.bind(address) {
                Ok(()) => return Ok(socket),
                // The task that listened has not been dropped yet.
                Err(_) if tries < TRIES => tries += 1,
                Err(error) => return Err(error),
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn serve(listener: TcpListener, shared: &Arc<Shared>) -> Self {
        let shared = shared.clone();
        let serving = tokio::spawn(async move {
            // Dropped with this task; that drops every connection too.
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
