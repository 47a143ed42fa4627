//! The listening socket and its connections. It can drop them at any moment; the work they asked
//! for goes on.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::app::App;
use crate::dispatch::dispatch;
use crate::routes;
use crate::socket::{ConnectionControl, Wire};

/// How long requests in progress may take to end once the server stops.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(500);
/// How long a connection may take to send the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest head of a request.
const LARGEST_HEAD: usize = 32 << 10;

/// A running server.
pub(crate) struct Server {
    address: SocketAddr,
    /// Each connection holds a clone, so the strong count tells how many are open.
    open: Arc<()>,
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves the connections that this listener accepts.
    pub fn start(listener: TcpListener, app: &Arc<App>) -> std::io::Result<Self> {
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let router = routes::router(app);
        let open = Arc::new(());
        let held = Arc::downgrade(&open);
        let task = tokio::spawn(accept(listener, Arc::clone(app), router, held, stopped));
        Ok(Self {
            address,
            open,
            stop,
            task: Some(task),
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        Arc::strong_count(&self.open) - 1
    }

    /// Stops accepting, lets requests in progress end, and drops those that do not end in time.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task.take() {
            // The task ends by itself. It can fail only by a panic, which has been reported.
            let _ = task.await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            task.abort();
        }
    }
}

async fn accept(
    listener: TcpListener,
    app: Arc<App>,
    router: Router,
    held: Weak<()>,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop_of(&mut stopped) => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let (app, router) = (Arc::clone(&app), router.clone());
                    let (open, stopped) = (held.upgrade(), stopped.clone());
                    connections.spawn(async move {
                        serve(stream, peer, app, router, stopped).await;
                        drop(open);
                    });
                }
                Err(error) => {
                    // Most likely no file descriptors are left; wait until a connection closes.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
        }
    }
    drop(listener);
    let all = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN_TIMEOUT, all).await.is_err() {
        connections.shutdown().await;
    }
}

/// Resolves once the server stops or is dropped.
async fn stop_of(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopped| *stopped).await;
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    app: Arc<App>,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) {
    let _ = stream.set_nodelay(true);
    let control = Arc::new(ConnectionControl::default());
    let service = service_fn(|request| {
        let (app, router, control) = (Arc::clone(&app), router.clone(), Arc::clone(&control));
        async move { Ok::<_, Infallible>(dispatch(app, router, control, peer, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(
            TokioIo::new(Wire::new(stream, Arc::clone(&control))),
            service,
        );
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = control.comes() => return,
        () = stop_of(&mut stopped) => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = &mut connection => ended,
                () = control.comes() => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::trace!(%error, "a connection ended early");
    }
}
