//! One-time codes: by mail, by an authenticator app, and their limits.

use std::time::Duration;

use crate::support::{Device, PASSWORD, start};

const MAIL: &str = "otp@vestibule.test";
const TOTP: &str = "totp@vestibule.test";
const APP: &str = "/verify-totp";
const RECOVERY: &str = "/verify-recovery";

/// A wrong code: any code other than this one.
fn other_than(code: &str) -> String {
    let first = if code.starts_with('1') { '2' } else { '1' };
    format!("{first}{}", &code[1..])
}

#[tokio::test]
async fn a_mailed_code_completes_the_sign_in() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    let asked = device.login(MAIL, PASSWORD).await;
    assert_eq!(asked.status, 200);
    assert_eq!(
        asked.json(),
        serde_json::json!({ "otpRequired": true, "email": MAIL, "methods": ["otp"] })
    );
    assert!(
        device.cookies.is_empty(),
        "no cookie is set before the code is verified"
    );

    let code = backend.last_code(MAIL).expect("a mail");
    assert!(code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()));
    let spaced = format!("{} {}", &code[..3], &code[3..]);
    let verified = device.verify(MAIL, &spaced).await;
    assert_eq!(verified.status, 200, "a space in the code is ignored");
    assert_eq!(verified.json()["user"]["email"], MAIL);
    assert_eq!(device.refresh().await.status, 200);

    let twice = device.verify(MAIL, &code).await;
    assert_eq!(
        twice.refused(),
        (410, "OTP_EXPIRED".into()),
        "a code works once"
    );
}

#[tokio::test]
async fn a_wrong_code_may_be_corrected_five_times_at_most() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    device.login(MAIL, PASSWORD).await;
    let code = backend.last_code(MAIL).expect("a mail");
    let wrong = other_than(&code);
    for _ in 0..4 {
        let refused = device.verify(MAIL, &wrong).await.refused();
        assert_eq!(refused, (400, "OTP_INVALID".into()));
    }
    let fifth = device.verify(MAIL, &wrong).await.refused();
    assert_eq!(fifth, (423, "OTP_TOO_MANY".into()));
    let right = device.verify(MAIL, &code).await.refused();
    assert_eq!(
        right,
        (423, "OTP_TOO_MANY".into()),
        "after five wrong codes the right one is refused"
    );
    let resent = device.resend(MAIL).await.refused();
    assert_eq!(resent, (423, "OTP_TOO_MANY".into()));

    device.login(MAIL, PASSWORD).await;
    let fresh = backend.last_code(MAIL).expect("a new code was mailed");
    assert_eq!(
        device.verify(MAIL, &fresh).await.status,
        200,
        "a new sign-in sends a new code"
    );
}

#[tokio::test]
async fn wrong_codes_over_several_sign_ins_lock_the_account() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    for _ in 0..2 {
        assert_eq!(device.login(MAIL, PASSWORD).await.status, 200);
        let wrong = other_than(&backend.last_code(MAIL).expect("a mail"));
        for _ in 0..5 {
            device.verify(MAIL, &wrong).await;
        }
    }
    let locked = device.login(MAIL, PASSWORD).await.refused();
    assert_eq!(locked, (423, "ACCOUNT_LOCKED".into()));
}

/// Otherwise a person who knows only the address could use up the owner's tries, replace the code
/// that the owner is typing, and learn that somebody is signing in.
#[tokio::test]
async fn a_code_is_good_on_the_device_that_signed_in() {
    let backend = start().await;
    backend.set_resend_interval(Duration::ZERO);
    let mut owner = Device::new(&backend);
    owner.login(MAIL, PASSWORD).await;
    let code = backend.last_code(MAIL).expect("a mail");
    let mut stranger = Device::new(&backend);
    for _ in 0..12 {
        let right = stranger.verify(MAIL, &code).await;
        assert_eq!(right.refused(), (410, "OTP_EXPIRED".into()));
        let wrong = stranger.verify(MAIL, &other_than(&code)).await;
        let nobody = stranger.verify("nobody@vestibule.test", &code).await;
        assert!(right.body == wrong.body && wrong.body == nobody.body);
        let resent = stranger.resend(MAIL).await;
        assert_eq!(resent.refused(), (410, "OTP_EXPIRED".into()));
    }
    assert_eq!(backend.last_code(MAIL).as_ref(), Some(&code), "no other");
    assert_eq!(owner.verify(MAIL, &code).await.status, 200);
}

/// A stranger's wrong passwords do not stop the owner from verifying a pending code.
#[tokio::test]
async fn wrong_passwords_do_not_lock_who_has_given_the_right_one() {
    let backend = start().await;
    let mut owner = Device::new(&backend);
    owner.login(MAIL, PASSWORD).await;
    let mut stranger = Device::new(&backend);
    for _ in 0..10 {
        stranger.login(MAIL, "not the password").await;
    }
    let locked = stranger.login(MAIL, "not the password").await.refused();
    assert_eq!(locked, (423, "ACCOUNT_LOCKED".into()));
    let code = backend.last_code(MAIL).expect("a mail");
    assert_eq!(owner.verify(MAIL, &code).await.status, 200);
}

#[tokio::test]
async fn codes_expire_and_strangers_have_none() {
    let backend = start().await;
    backend.set_otp_ttl(Duration::ZERO);
    let mut device = Device::new(&backend);
    device.login(MAIL, PASSWORD).await;
    let code = backend.last_code(MAIL).expect("a mail");
    let late = device.verify(MAIL, &code).await;
    assert_eq!(late.refused(), (410, "OTP_EXPIRED".into()));
    let unknown = device.verify("nobody@vestibule.test", &code).await;
    assert_eq!(
        unknown.body, late.body,
        "an unknown address gets the same answer"
    );
    let shapeless = device.verify(MAIL, "12345").await;
    assert_eq!(shapeless.refused(), (422, "INVALID_INPUT".into()));
}

#[tokio::test]
async fn resending_waits_its_time_and_replaces_the_code() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    assert_eq!(
        device.resend(MAIL).await.refused(),
        (410, "OTP_EXPIRED".into())
    );
    device.login(MAIL, PASSWORD).await;
    let first = backend.last_code(MAIL).expect("a mail");
    let soon = device.resend(MAIL).await;
    assert_eq!(soon.refused(), (429, "RATE_LIMITED".into()));
    let wait: u64 = soon
        .header("retry-after")
        .expect("a wait")
        .parse()
        .expect("seconds");
    assert!((1..=30).contains(&wait), "{wait}");

    backend.set_resend_interval(Duration::ZERO);
    let mut second = first.clone();
    while second == first {
        // With a probability of one in a million the new code is the same.
        assert_eq!(device.resend(MAIL).await.status, 204);
        second = backend.last_code(MAIL).expect("another mail");
    }
    assert_eq!(
        device.verify(MAIL, &first).await.status,
        400,
        "the earlier code no longer works"
    );
    assert_eq!(device.verify(MAIL, &second).await.status, 200);
}

#[tokio::test]
async fn an_authenticator_code_works_once() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    let asked = device.login(TOTP, PASSWORD).await;
    assert_eq!(asked.json()["otpRequired"], true);
    let code = backend.last_code(TOTP).expect("a code");
    let wrong = device.verify_at(APP, TOTP, &other_than(&code)).await;
    assert_eq!(wrong.refused(), (400, "OTP_INVALID".into()));
    let elsewhere = device.verify(TOTP, &code).await.refused();
    assert_eq!(elsewhere, (400, "OTP_INVALID".into()), "it was not mailed");
    assert_eq!(device.verify_at(APP, TOTP, &code).await.status, 200);

    device.login(TOTP, PASSWORD).await;
    let again = device.verify_at(APP, TOTP, &code).await.refused();
    assert_eq!(again, (400, "OTP_INVALID".into()), "used");
    let next = backend.last_code(TOTP).expect("the code of the next step");
    assert_eq!(device.verify_at(APP, TOTP, &next).await.status, 200);
}

#[tokio::test]
async fn an_account_with_an_app_gets_mail_on_request() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    let asked = device.login(TOTP, PASSWORD).await.json();
    let methods = serde_json::json!(["totp", "otp", "recovery"]);
    assert_eq!(asked["methods"], methods);
    assert_eq!(backend.last_mailed_code(TOTP), None, "not by itself");
    assert_eq!(device.resend(TOTP).await.status, 204, "the first at once");
    let soon = device.resend(TOTP).await.refused();
    assert_eq!(soon, (429, "RATE_LIMITED".into()), "another one later");
    let code = backend.last_mailed_code(TOTP).expect("a mail");
    assert_eq!(device.verify(TOTP, &code).await.status, 200);
}

#[tokio::test]
async fn a_recovery_code_works_once_for_its_account() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    let codes = backend.recovery_codes(TOTP);
    assert_eq!(codes.len(), 8);
    let typed = format!(" {} ", codes[3].to_uppercase());
    device.login(MAIL, PASSWORD).await;
    let foreign = device.verify_at(RECOVERY, MAIL, &codes[3]).await;
    assert_eq!(foreign.refused(), (400, "OTP_INVALID".into()));
    device.login(TOTP, PASSWORD).await;
    assert_eq!(device.verify_at(RECOVERY, TOTP, &typed).await.status, 200);
    assert_eq!(backend.recovery_codes(TOTP).len(), 7);
    device.login(TOTP, PASSWORD).await;
    let again = device.verify_at(RECOVERY, TOTP, &codes[3]).await;
    assert_eq!(again.refused(), (400, "OTP_INVALID".into()), "used");
    let other = device.verify_at(RECOVERY, TOTP, &codes[0]).await;
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn a_blocked_account_gets_no_session_by_code_either() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    device.login(MAIL, PASSWORD).await;
    backend.block(MAIL);
    let code = backend.last_code(MAIL).expect("a mail");
    let refused = device.verify(MAIL, &code).await.refused();
    assert_eq!(refused, (403, "ACCOUNT_BLOCKED".into()));
}

#[tokio::test]
async fn the_mailbox_shows_codes_in_the_language_of_the_cookie() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    device
        .cookies
        .insert("vestibule_locale".into(), "de".into());
    device.login(MAIL, PASSWORD).await;
    let code = backend.last_code(MAIL).expect("a mail");
    let listed = device.get("/mailbox.json").await.json();
    assert_eq!(listed["mails"][0]["code"], code.as_str());
    assert_eq!(listed["mails"][0]["subject"], "Ihr Anmeldecode");
    assert_eq!(listed["authenticators"][0]["email"], TOTP);
    assert_eq!(
        listed["authenticators"][0]["code"].as_str().map(str::len),
        Some(6)
    );
    let page = device.get("/mailbox").await;
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let page = String::from_utf8(page.body).expect("text");
    assert!(page.contains(&code) && page.contains(MAIL), "{page}");
}
