//! TLS: the report names what is wrong, and no credential goes over a connection that is not
//! trusted.

use serde_json::Value;
use vestibule_backend::Config;
use vestibule_core::Obstacle;
use vestibule_harness::{Authority, DEMO, Front, PASSWORD, Shows, start_backend};

use crate::support::{program, text};

/// The report of an examination that trusts this authority, and the exit status.
async fn examined(address: &str, authority: &Authority) -> (Value, Option<i32>) {
    let arguments = ["--backend", address, "--email", DEMO, "--json"];
    let program = program(&arguments, PASSWORD).with("SSL_CERT_FILE", authority.file());
    let ended = program.run().await;
    let report = serde_json::from_slice(&ended.stdout);
    let report = report.unwrap_or_else(|_| panic!("{}", text(&ended.stderr)));
    (report, ended.status.code())
}

pub fn row<'a>(report: &'a Value, id: &str) -> &'a Value {
    let rows = report["rows"].as_array().expect("rows");
    rows.iter().find(|row| row["id"] == id).expect("a row")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_trusted_lets_everything_through() {
    let backend = start_backend(Config {
        secure_cookies: true,
        ..Config::default()
    })
    .await;
    let authority = Authority::new();
    let front = Front::before(backend.address(), "127.0.0.1", &authority, Shows::Good).await;
    let (report, status) = examined(&format!("https://{}", front.address), &authority).await;
    assert_eq!(report["outcome"], "fits", "{report:#}");
    assert_eq!(status, Some(0));
    for id in ["reachable", "tls", "cookie", "refresh", "logout_ends"] {
        assert_eq!(row(&report, id)["holds"], "yes", "{report:#}");
    }
    assert_eq!(row(&report, "plain_http")["holds"], "not_tried");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_that_may_travel_in_the_clear_is_told() {
    let backend = start_backend(Config::default()).await;
    let authority = Authority::new();
    let front = Front::before(backend.address(), "127.0.0.1", &authority, Shows::Good).await;
    let (report, status) = examined(&format!("https://{}", front.address), &authority).await;
    let cookie = row(&report, "cookie");
    assert_eq!(cookie["holds"], "no", "{cookie:#}");
    assert!(
        cookie["advice"].to_string().contains("Secure"),
        "{cookie:#}"
    );
    assert_eq!(status, Some(0), "the app works with it");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_certificate_is_spoken_to_and_what_is_wrong_is_named() {
    let backend = start_backend(Config::default()).await;
    let authority = Authority::new();
    for (shows, obstacle) in [
        (Shows::SelfSigned, Obstacle::CertificateIssuer),
        (Shows::Expired, Obstacle::CertificateDate),
        (Shows::NotYet, Obstacle::CertificateDate),
        (Shows::Anothers, Obstacle::CertificateName),
        (Shows::Strangers, Obstacle::CertificateIssuer),
    ] {
        let front = Front::before(backend.address(), "127.0.0.1", &authority, shows).await;
        let (report, status) = examined(&format!("https://{}", front.address), &authority).await;
        let tls = row(&report, "tls");
        assert_eq!(tls["holds"], "no", "{shows:?}: {tls:#}");
        let words = obstacle.words();
        assert_eq!(tls["got"], words.problem, "{shows:?}: {tls:#}");
        assert_eq!(tls["advice"][0]["text"], words.advice, "{shows:?}: {tls:#}");
        assert_eq!(report["outcome"], "not_examined");
        assert_eq!(
            report["counts"]["fail"], 1,
            "one cause, one row: {report:#}"
        );
        assert_eq!(status, Some(2));
    }
    assert_eq!(backend.requests("POST", "/login"), 0, "nobody signed in");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scheme_for_the_other_port_is_recognised() {
    let backend = start_backend(Config::default()).await;
    let authority = Authority::new();
    let (report, _) = examined(&format!("https://{}", backend.address()), &authority).await;
    let tls = row(&report, "tls");
    assert_eq!(tls["got"], Obstacle::NotTls.words().problem, "{tls:#}");
    assert!(tls["advice"].to_string().contains("http://"), "{tls:#}");

    let front = Front::before(backend.address(), "127.0.0.1", &authority, Shows::Good).await;
    let (report, _) = examined(&format!("http://{}", front.address), &authority).await;
    let reachable = row(&report, "reachable");
    assert_eq!(reachable["holds"], "no", "{report:#}");
    let says = Obstacle::NotHttp.words().problem;
    assert_eq!(reachable["got"], says, "{reachable:#}");
    assert!(
        reachable["advice"].to_string().contains("https://"),
        "{reachable:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_name_and_a_closed_port_are_named() {
    let authority = Authority::new();
    for (address, obstacle, side) in [
        // RFC 6761 reserves this name; it never has an address.
        ("https://nowhere.invalid", Obstacle::NameUnknown, "you"),
        ("http://127.0.0.1:9", Obstacle::Refused, "backend"),
    ] {
        let (report, status) = examined(address, &authority).await;
        let reachable = row(&report, "reachable");
        let words = obstacle.words();
        assert_eq!(reachable["got"], words.problem, "{reachable:#}");
        assert_eq!(
            reachable["advice"][0]["text"], words.advice,
            "{reachable:#}"
        );
        assert_eq!(reachable["advice"][0]["side"], side, "{reachable:#}");
        assert_eq!(status, Some(2));
    }
}
