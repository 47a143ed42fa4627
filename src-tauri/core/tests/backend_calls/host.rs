//! A backend on a socket that the test controls: it accepts every sign-in, and passes every other
//! request with its connection to the test.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use vestibule_harness::success;

/// Ends when dropped.
pub struct Host {
    pub url: String,
    arrivals: Mutex<mpsc::UnboundedReceiver<Arrival>>,
    serving: AbortHandle,
}

/// A request whose head has arrived; a body may still be on its way.
pub struct Arrival {
    pub head: String,
    pub stream: TcpStream,
    /// The bytes that arrived together with the head.
    pub early: Vec<u8>,
}

impl Drop for Host {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Host {
    pub async fn start() -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("its address");
        let (arrived, arrivals) = mpsc::unbounded_channel();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, arrived.clone()));
            }
        });
        Arc::new(Self {
            url: format!("http://{address}"),
            arrivals: Mutex::new(arrivals),
            serving: serving.abort_handle(),
        })
    }

    /// Whether the test has taken every request that arrived.
    pub fn is_idle(&self) -> bool {
        let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
        arrivals.try_recv().is_err()
    }

    /// The next request that is not a sign-in.
    pub async fn arrival(&self) -> Arrival {
        std::future::poll_fn(|cx| {
            let mut arrivals = self.arrivals.lock().unwrap_or_else(PoisonError::into_inner);
            arrivals.poll_recv(cx)
        })
        .await
        .expect("the host is there")
    }
}

async fn serve(mut stream: TcpStream, arrived: mpsc::UnboundedSender<Arrival>) {
    while let Some((head, early)) = head(&mut stream).await {
        if !head.starts_with("POST /login ") {
            let _ = arrived.send(Arrival {
                head,
                stream,
                early,
            });
            return;
        }
        let body = success().to_string();
        let length = length(&head);
        let mut rest = vec![0; length.saturating_sub(early.len())];
        if stream.read_exact(&mut rest).await.is_err() {
            return;
        }
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             set-cookie: __refresh_token=t; Path=/; HttpOnly\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

async fn head(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = bytes.split_off(at + 4);
            // A character for each byte.
            return Some((bytes.into_iter().map(char::from).collect(), rest));
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}

fn length(head: &str) -> usize {
    let line = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then_some(value)
    });
    line.and_then(|value| value.trim().parse().ok())
        .unwrap_or(0)
}

impl Arrival {
    pub async fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.expect("sent");
    }

    /// Sends bytes.
    pub async fn say_bytes(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.expect("sent");
    }

    /// Sends text to a client that may have disconnected; false if it has.
    pub async fn try_say(&mut self, text: &str) -> bool {
        self.stream.write_all(text.as_bytes()).await.is_ok()
    }

    /// Reads until the client disconnects; returns what arrived of the body.
    pub async fn until_left(mut self) -> Vec<u8> {
        let mut rest = vec![0; 64 * 1024];
        // A reset counts as a disconnect too.
        while let Ok(read) = self.stream.read(&mut rest).await {
            if read == 0 {
                break;
            }
            self.early.extend_from_slice(&rest[..read]);
        }
        self.early
    }

    /// Reads until these bytes have arrived.
    pub async fn until_heard(&mut self, wanted: &[u8]) {
        let heard = |bytes: &[u8]| bytes.windows(wanted.len()).any(|part| part == wanted);
        while !heard(&self.early) {
            let read = self.stream.read_buf(&mut self.early).await.expect("bytes");
            assert!(read > 0, "the client has disconnected");
        }
    }
}
