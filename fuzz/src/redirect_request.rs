//! Requests at the port of this computer to which the browser comes back, which any program and any page
//! can send.

use std::net::SocketAddr;

use url::Url;
use vestibule_core::testing::target_of;

const OWN: [&str; 2] = ["127.0.0.1:4599", "[::1]:4599"];

/// The first byte picks the listener's address; the rest is what was sent to it.
pub fn redirect_request(data: &[u8]) {
    let Some((pick, head)) = data.split_first() else {
        return;
    };
    let own = OWN[usize::from(*pick) % OWN.len()];
    let other = OWN[(usize::from(*pick) + 1) % OWN.len()];
    let at = |address: &str| -> SocketAddr { address.parse().expect("a constant") };
    let Some(target) = target_of(head, at(own)) else {
        return;
    };
    assert_eq!(target_of(head, at(other)), None, "for another listener");
    let text = String::from_utf8_lossy(head);
    let lines = text.lines().map(str::trim_end);
    // Empty lines may come before the request, and one ends it. What follows is not looked at.
    let mut lines = lines.skip_while(|line| line.is_empty());
    let first = lines.next().expect("a request line");
    assert!(first.starts_with("GET "), "{first}");
    let lines = lines.take_while(|line| !line.is_empty());
    let hosts: Vec<&str> = lines
        .filter_map(|line| line.split_once(':'))
        .filter(|(name, _)| name.eq_ignore_ascii_case("host"))
        .map(|(_, value)| value.trim())
        .collect();
    assert_eq!(hosts, [own], "a page under another name");
    assert!(target.starts_with('/'));
    let breaks = |c: char| c.is_ascii_control() || c.is_ascii_whitespace();
    assert!(!target.contains(breaks), "{target:?}");
    if let Ok(address) = Url::parse(&format!("http://{own}{target}")) {
        assert_eq!(
            address[url::Position::BeforeHost..url::Position::AfterPort],
            *own
        );
        assert!(address.username().is_empty() && address.password().is_none());
    }
}
