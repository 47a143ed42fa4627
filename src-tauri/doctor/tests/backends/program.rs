//! The doctor's program: its exit status, its JSON, where a password may come from.

use serde_json::Value;
use vestibule_backend::Config;
use vestibule_harness::{DEMO, PASSWORD, start_backend};

use crate::support::{program, text};

async fn run(arguments: &[&str], typed: &str) -> std::process::Output {
    program(arguments, typed).run().await
}

#[tokio::test(flavor = "multi_thread")]
async fn json_for_programs_and_a_table_for_people() {
    let backend = start_backend(Config::default()).await;
    let url = backend.url();
    let asked = ["--backend", &url, "--email", DEMO];
    let ended = run(
        &[&asked[..], &["--json"]].concat(),
        &format!("{PASSWORD}\n"),
    )
    .await;
    assert_eq!(ended.status.code(), Some(0), "{}", text(&ended.stderr));
    let report: Value = serde_json::from_slice(&ended.stdout).expect("JSON alone on stdout");
    assert_eq!(report["schema"], 1);
    assert_eq!(report["outcome"], "fits");
    let rows = report["rows"].as_array().expect("rows");
    let login = rows.iter().find(|row| row["id"] == "login").expect("a row");
    assert_eq!(login["holds"], "yes");
    assert_eq!(login["weight"], "must");
    assert!(
        login["sent"]
            .as_str()
            .expect("text")
            .starts_with("POST /login {")
    );
    assert!(login["got"].as_str().expect("text").starts_with("200 {"));
    assert_eq!(report["suggestion"]["kind"], "fits");

    let ended = run(&asked, PASSWORD).await;
    assert_eq!(ended.status.code(), Some(0));
    let (table, progress) = (text(&ended.stdout), text(&ended.stderr));
    assert!(table.contains("REFRESH, AT THE EDGES"), "{table}");
    let widest = table.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{widest:?} columns:\n{table}");
    let reasons = table.matches("asked for with --replay").count();
    assert_eq!(
        reasons, 1,
        "rows that were not tried for one reason share it:\n{table}"
    );
    assert!(
        progress.contains("one wrong password"),
        "it announces the wrong password: {progress}"
    );
    let announced = progress.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        announced.contains("look for a profile") && announced.contains("3 at most are wrong"),
        "it announces the sign-ins at other paths: {progress}"
    );
    assert!(!table.contains(PASSWORD) && !progress.contains(PASSWORD));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_cannot_do_it_says_with_status_2() {
    let closed = ["--backend", "http://127.0.0.1:9", "--email", DEMO];
    let ended = run(&closed, PASSWORD).await;
    assert_eq!(ended.status.code(), Some(2));
    assert!(text(&ended.stdout).contains("could not be examined"));
    for (arguments, said) in [
        (&["--backend", "http://api.example.com"][..], "use https"),
        (&["--password", "hunter22"], "VESTIBULE_DOCTOR_PASSWORD"),
        (&["--profile", "no-such-file.toml"], "no-such-file.toml"),
        (&["--profile", "directus"], "`backend`"),
        (&["--profile", "directsu"], "did you mean `directus`?"),
        (&["--profile", "mine"], "`better-auth`"),
        (&["--email", DEMO, "--olny"], "--help"),
        (&["--email", DEMO], "no password"),
    ] {
        let ended = run(arguments, "").await;
        let told = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(told.contains(said), "{arguments:?}: {told}");
        assert!(!told.contains("hunter22"));
    }
    for name in ["VESTIBULE_DOCTOR_PASSWORD", "VESTIBULE_DOCTOR_OTP_PASSWORD"] {
        let asked = ["--email", DEMO, "--otp-email", DEMO];
        let ended = program(&asked, PASSWORD).with(name, "").run().await;
        let told = text(&ended.stderr);
        assert_eq!(ended.status.code(), Some(2), "{told}");
        assert!(told.contains(&format!("{name} is empty")), "{told}");
    }
    let help = run(&["--help"], "").await;
    assert_eq!(help.status.code(), Some(0));
    let help = text(&help.stdout);
    assert!(help.contains("--replay"));
    assert!(
        help.contains("--login-path") && help.contains("at most three"),
        "{help}"
    );
}
