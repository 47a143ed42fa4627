//! Answers that name another address.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use vestibule_backend::Backend;
use vestibule_harness::{Lost, try_eventually};

use super::actions::Action;
use super::other_servers::OtherServers;
use crate::client::Client;
use crate::proxy::{Act, Script};

const STATUSES: [&str; 11] = [
    "300 Multiple Choices",
    "301 Moved Permanently",
    "302 Found",
    "303 See Other",
    "304 Not Modified",
    "305 Use Proxy",
    "306 Switch Proxy",
    "307 Temporary Redirect",
    "308 Permanent Redirect",
    "399 Whatever",
    // Other headers that name another address.
    "200 OK",
];

/// Other addresses. `P` stands for the backend's own port, `O` for another one of its host.
const PLACES: [&str; 10] = [
    "http://127.0.0.1:O",
    "http://127.0.0.2:P",
    "http://[::1]:P",
    "http://localhost:O",
    "//127.0.0.2:P",
    "\\\\127.0.0.2:P",
    "/\\127.0.0.2:P",
    "https://127.0.0.2:P",
    "https://127.0.0.1:O",
    "http://127.0.0.1:P@127.0.0.2:P",
];

/// One kind of redirect.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    status: &'static str,
    place: &'static str,
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "answered by {} to {}", self.status, self.place)
    }
}

/// Every kind of redirect.
pub fn all() -> Vec<Way> {
    let of = |status| PLACES.map(|place| Way { status, place });
    STATUSES.into_iter().flat_map(of).collect()
}

impl Way {
    fn answer(self, port: u16, others: &OtherServers, path: &str) -> Script {
        let other = others.port.address.port().to_string();
        let place = self.place.replace('P', &port.to_string());
        let place = place.replace('O', &other);
        let lines = match self.status {
            "200 OK" => format!(
                "refresh: 0; url={place}{path}\r\ncontent-location: {place}{path}\r\n\
                 alt-svc: http/1.1=\"127.0.0.2:{port}\"\r\n"
            ),
            _ => format!("location: {place}{path}\r\n"),
        };
        let json = "content-type: application/json\r\n";
        Script::answer(self.status, &format!("{json}{lines}"), "{}")
    }
}

/// Makes one call, which is answered by one redirect.
pub async fn run(backend: &Backend, action: Action, way: &Way) -> Result<(), Lost> {
    let (proxy, email, others) = OtherServers::beside(backend).await?;
    let client = Client::new(proxy.url(), email, action.carrier()).await?;
    action.prepare(&client).await?;
    let asked = Arc::new(AtomicUsize::new(0));
    let (counted, path) = (asked.clone(), action.path());
    proxy.on_request(move |given| {
        counted.fetch_add(usize::from(given == path), Ordering::SeqCst);
    });
    let answer = way.answer(proxy.address().port(), &others, path);
    let struck = proxy.strike(Some(path), Act::Instead(answer)).await;
    struck.map_err(|error| error.to_string())?;
    action.attempt(&client).await;
    let was_asked = || asked.load(Ordering::SeqCst) > 0;
    try_eventually("the call to be made", was_asked).await?;
    others.check()
}
