//! The program with a provider: it prints the address, waits for the browser, and refuses in words.

use serde_json::Value;
use vestibule_harness::{DEMO, PASSWORD};

use super::strict;
use crate::support::{all_over, program, text};

#[tokio::test(flavor = "multi_thread")]
async fn the_program_prints_the_address_and_waits() {
    use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
    let backend = strict().await;
    let url = backend.url();
    let asked = [
        "--issuer",
        &url,
        "--client-id",
        "vestibule",
        "--browser",
        "--json",
    ];
    let mut child = program(&asked, "").start().await;
    let mut lines = BufReader::new(child.stderr.take().expect("piped")).lines();
    let address = loop {
        let line = lines.next_line().await.expect("text").expect("an address");
        if line.contains("code_challenge=") {
            break line;
        }
    };
    crate::support::sign_in_on_page(&address.trim().parse().expect("an address"), false).await;
    let mut out = String::new();
    let mut stdout = child.stdout.take().expect("piped");
    stdout.read_to_string(&mut out).await.expect("text");
    let report: Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(report["outcome"], "fits", "{report:#}");
    let rows = report["rows"].as_array().expect("rows");
    let row = |id: &str| rows.iter().find(|row| row["id"] == id).expect("a row");
    assert_eq!(row("browser_sign_in")["holds"], "yes");
    assert_eq!(row("browser_sign_in")["group"], "browser");
    assert_eq!(row("revoked_token")["holds"], "yes");
    assert_eq!(child.wait().await.expect("it ends").code(), Some(0));
    all_over(&backend, DEMO);

    for (arguments, said) in [
        (
            &["--issuer", "http://id.example", "--client-id", "a"][..],
            "browser.issuer",
        ),
        (&["--profile", "oidc", "--client-id", "a"], "--issuer"),
        (&["--issuer", "https://id.example"], "browser.client_id"),
        (
            &["--profile", "oidc", "--backend", "https://a.example"],
            "browser.issuer",
        ),
    ] {
        let ended = program(arguments, PASSWORD).run().await;
        let told = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{told}");
        assert!(told.contains(said), "{arguments:?}: {told}");
    }
}
