//! In the app's window no attack runs code, sends anything or leaves the page.

use std::net::{IpAddr, Ipv4Addr, TcpStream, UdpSocket};
use std::process::Command;
use std::time::Duration;

use vestibule_acceptance::{
    App, DEMO, DEMO_NAME, Host, Outside, Role, containing, scenario, until, with_outside,
};

use super::{ATTACKS, attack, names};
use crate::signed_in;

/// Nothing announces that nothing will be sent. The slowest attacks try again and again for 2 s; in
/// the browser without a policy what they send arrives within 0.2 s.
const QUIET: Duration = Duration::from_secs(3);

#[test]
fn nothing_that_is_injected_gets_out_of_the_window() {
    with_outside(|outside| {
        scenario(async |stage| {
            let app = signed_in(stage, DEMO, DEMO_NAME).await;
            app.run(ATTACKS).await;
            app.run("window.stay = true").await;
            for which in names(app.driver(), "running").await {
                attack(app.driver(), &which, &[]).await;
                assert!(stays(&app).await, "{which} leads the window away");
            }
            let mut reaching = Vec::new();
            for kind in ["asking", "speaking", "leading", "idle"] {
                for which in names(app.driver(), kind).await {
                    let mut addresses = addresses(Host::numbered(reaching.len())).to_vec();
                    if kind == "leading" {
                        // On Windows, the app's own pages have the first of these addresses.
                        addresses.push("http://tauri.localhost/x".to_owned());
                        addresses.push("http://tauri.localhost:7781/x".to_owned());
                    }
                    // Only one attack that leaves the page at a time, since one would hide the
                    // others.
                    let at_once = if kind == "leading" {
                        1
                    } else {
                        addresses.len()
                    };
                    for addresses in addresses.chunks(at_once) {
                        attack(app.driver(), &which, addresses).await;
                        assert!(stays(&app).await, "{which} leads the window away");
                    }
                    reaching.push(which);
                }
            }
            assert!(
                reaching.len() > 60,
                "the list of attacks is complete: {}",
                reaching.len()
            );
            tokio::time::sleep(QUIET).await;
            assert!(stays(&app).await, "the window was led away");
            let ran = app.run("return attacks.ran()").await;
            assert_eq!(ran, serde_json::json!([]), "code ran");
            got_nothing(outside, &reaching);
            would_have_heard(outside, Host::numbered(reaching.len())).await;
            let windows = app.driver().windows().await.expect("windows");
            assert_eq!(windows.len(), 1, "no other window");

            // The control: the app still works.
            app.reload().await;
            app.find(Role::Button, containing(DEMO_NAME)).await;
        });
    });
}

/// The addresses of a host: its name, its address, another port of this machine, another of its
/// addresses, and the only name to which the policy lets a page connect (on Windows, pages reach
/// the shell by it).
fn addresses(host: Host) -> [String; 5] {
    let port = host.port();
    [
        format!("http://{}", host.name()),
        format!("http://{}", host.address()),
        format!("http://127.0.0.1:{port}"),
        format!("http://127.0.0.2:{port}"),
        format!("http://ipc.localhost:{port}"),
    ]
}

async fn stays(app: &App) -> bool {
    app.run("return window.stay === true").await == true
}

fn got_nothing(outside: &Outside, attacks: &[String]) {
    let (lookups, packets) = (outside.lookups(), outside.packets());
    let of = |host: Host| {
        let of_this = packets.iter().any(|packet| packet.port == host.port());
        of_this || outside.was_asked_for(host) || outside.was_spoken_to(host)
    };
    let guilty = attacks.iter().enumerate();
    let guilty = guilty.filter(|(number, _)| of(Host::numbered(*number)));
    let guilty: Vec<_> = guilty.map(|(_, which)| which).collect();
    assert!(
        lookups.is_empty() && packets.is_empty(),
        "{guilty:?} sent something: names {lookups:?}, packets {packets:?}"
    );
}

/// The control: a lookup, a connection, a packet without a connection, and a connection to a port
/// of this machine are all recorded.
async fn would_have_heard(outside: &Outside, planted: Host) {
    let found = Command::new("getent")
        .args(["ahostsv4", &planted.name()])
        .output();
    let found = String::from_utf8_lossy(&found.expect("getent").stdout).into_owned();
    assert!(found.contains(&planted.address().to_string()), "{found}");
    assert!(outside.was_asked_for(planted), "a lookup is recorded");
    let to = |port| (IpAddr::V4(planted.address()), port);
    // Nothing listens there, but the packet is sent.
    let _ = TcpStream::connect(to(443));
    let sender = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).expect("a socket");
    sender.send_to(b"x", to(3478)).expect("it goes");
    let _ = TcpStream::connect((Ipv4Addr::LOCALHOST, planted.port()));
    until("the control's packets to be recorded", async || {
        let packets = outside.packets();
        let heard = |protocol, port| {
            let mut packets = packets.iter();
            packets.any(|packet| (packet.protocol, packet.port) == (protocol, port))
        };
        match heard(6, 443) && heard(17, 3478) && heard(6, planted.port()) {
            true => Ok(()),
            false => Err(format!("{packets:?}")),
        }
    })
    .await;
}
