//! Connections kept open for the next request: a server can close one while that request is on its
//! way, which must not be reported as a server that cannot be reached.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::AbortHandle;
use vestibule_core::Obstacle;
use vestibule_core::transport::{
    HeaderMap, HttpRequest, HttpResponse, HttpTransport, Method, RequestBody, StatusCode,
    Transport as _, TransportError, Url,
};
use vestibule_harness::soon;

async fn listener() -> (TcpListener, HttpTransport, Url) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    let url = Url::parse(&format!("http://{address}/")).expect("an address");
    let transport = HttpTransport::new(&url, "test").expect("a client");
    (listener, transport, url)
}

async fn send(
    transport: &HttpTransport,
    method: Method,
    url: &Url,
) -> Result<HttpResponse, TransportError> {
    let request = HttpRequest {
        method,
        url: url.clone(),
        headers: HeaderMap::new(),
        body: RequestBody::Empty,
        new_connection: false,
    };
    soon("an answer", transport.send(request)).await
}

/// Reads the head of a request; false if the connection ends instead.
async fn hear(stream: &mut TcpStream) -> bool {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return false;
        }
    }
    true
}

async fn answer(stream: &mut TcpStream) {
    let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
    stream.write_all(answer).await.expect("sent");
}

/// Answers the first request on each connection and closes the connection at the second.
#[derive(Default)]
struct ClosesTheSecond {
    heard: AtomicUsize,
    closed: AtomicUsize,
}

impl ClosesTheSecond {
    fn serve(listener: TcpListener) -> (Arc<Self>, AbortHandle) {
        let me = Arc::new(Self::default());
        let counting = me.clone();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(counting.clone().connection(stream));
            }
        });
        (me, serving.abort_handle())
    }

    async fn connection(self: Arc<Self>, mut stream: TcpStream) {
        if !hear(&mut stream).await {
            return;
        }
        self.heard.fetch_add(1, Ordering::SeqCst);
        answer(&mut stream).await;
        if hear(&mut stream).await {
            self.heard.fetch_add(1, Ordering::SeqCst);
            self.closed.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn has_closed(&self) -> bool {
        self.closed.load(Ordering::SeqCst) > 0
    }

    fn heard(&self) -> usize {
        self.heard.load(Ordering::SeqCst)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_that_finds_its_connection_closed_goes_out_once_more() {
    let (listener, transport, url) = listener().await;
    let (server, serving) = ClosesTheSecond::serve(listener);
    // Whether a connection is back in the pool in time depends on the client library.
    let mut sent = 0;
    while !server.has_closed() {
        let answer = send(&transport, Method::GET, &url).await;
        let status = answer.map(|answer| answer.status);
        assert_eq!(status, Ok(StatusCode::NO_CONTENT));
        sent += 1;
    }
    assert_eq!(server.heard(), sent + 1, "one request was sent twice");
    serving.abort();
}

/// Whether the server has handled the request cannot be known.
#[tokio::test(flavor = "multi_thread")]
async fn what_has_an_effect_is_not_repeated() {
    let (listener, transport, url) = listener().await;
    let (server, serving) = ClosesTheSecond::serve(listener);
    let mut sent = 0;
    let error = loop {
        let answer = send(&transport, Method::POST, &url).await;
        sent += 1;
        if let Err(error) = answer {
            break error;
        }
    };
    assert_eq!(error.obstacle(), Obstacle::BrokenOff);
    assert!(server.has_closed());
    assert_eq!(server.heard(), sent, "each request arrived once");
    serving.abort();
}

/// Node.js closes idle connections after 5 s, other servers later.
#[tokio::test(flavor = "multi_thread")]
async fn an_idle_connection_is_closed_from_this_side() {
    let (listener, transport, url) = listener().await;
    let serving = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        assert!(hear(&mut stream).await, "a request");
        answer(&mut stream).await;
        hear(&mut stream).await
    });
    send(&transport, Method::GET, &url).await.expect("answered");
    let is_more = soon("the connection to end", serving)
        .await
        .expect("served");
    assert!(!is_more, "nothing else was sent over it");
    drop(transport);
}
