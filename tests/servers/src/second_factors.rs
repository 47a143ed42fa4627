//! Second factors of a real Better Auth server: an account with an authenticator app, backup codes and
//! mail, one with mail alone, and both on a server that cannot send codes.

use serde_json::{Value, json};
use vestibule_core::wire::{
    Challenge, CodeMethod, LoginInput, OtpInput, Phase, RegisterInput, SignInOutcome,
};
use vestibule_core::{ErrorCode, Secret};
use vestibule_harness::verify_by;

use crate::backends::{ANN, BOB, PASSWORD};
use crate::installation::{Installation, profile};
use crate::server::Server;
use crate::steps::Steps;

/// Switches the second factor on.
pub const ENABLE: &str = "/api/auth/two-factor/enable";

/// What an account with an authenticator app was given when it was set up.
struct App {
    uri: String,
    backup_codes: Vec<String>,
}

/// Runs all steps; nobody is signed in before or after them.
pub async fn run(installation: &mut Installation, server: &mut Server, steps: &mut Steps) {
    let app = enable(installation, steps).await;
    by_mail(installation, server, steps).await;
    by_app(installation, server, &app, steps).await;
    by_backup_code(installation, &app, steps).await;
    trusted(installation, server, &app, steps).await;
    mail_alone(server, steps).await;
    no_codes_sent(server, &app, steps).await;
    without_end(installation, server, steps).await;
}

async fn enable(installation: &mut Installation, steps: &mut Steps) -> App {
    sign_in(installation, BOB, SignInOutcome::SignedIn).await;
    let before = installation.kept();
    let reply = installation
        .post(ENABLE, &json!({"password": PASSWORD}))
        .await;
    assert_ne!(
        installation.kept(),
        before,
        "the sign-in replaces the session"
    );
    installation.refresh().await;
    installation.restart();
    assert_eq!(installation.until_fresh().await, "Bob");
    steps.did(
        "switch the second factor on",
        "the session goes on, by a new cookie",
    );
    installation.sign_out().await;
    let given: Value = serde_json::from_str(&reply.body).expect("JSON");
    let codes = given["backupCodes"].as_array().expect("a list");
    let codes = codes.iter().map(|code| code.as_str().expect("a text"));
    App {
        uri: given["totpURI"].as_str().expect("a URI").to_owned(),
        backup_codes: codes.map(str::to_owned).collect(),
    }
}

async fn by_mail(installation: &Installation, server: &mut Server, steps: &mut Steps) {
    sign_in(installation, BOB, SignInOutcome::OtpRequired).await;
    let methods = methods(installation);
    assert_eq!(
        methods,
        [CodeMethod::Totp, CodeMethod::Otp, CodeMethod::Recovery]
    );
    assert_eq!(server.code(BOB).await, "none", "no code was sent");
    steps.did("login", "by app, by mail or by backup code; none was sent");
    let sent = installation.session.send_otp().await.expect("sent");
    assert_eq!(sent.methods[1].sent_to.as_deref(), Some(BOB));
    let first = server.code(BOB).await;
    let wrong = by(installation, CodeMethod::Otp, &other_than(&first)).await;
    assert_eq!(wrong.err(), Some(ErrorCode::OtpInvalid));
    steps.did("a wrong code", "invalid; another try is allowed");
    installation.session.send_otp().await.expect("another code");
    let second = server.code(BOB).await;
    steps.did("another code", "sent");
    let right = by(installation, CodeMethod::Otp, &second).await;
    assert_eq!(right, Ok(SignInOutcome::SignedIn));
    installation.refresh().await;
    steps.did("the right code", "signed in, and renewed");
    installation.sign_out().await;
}

async fn by_app(installation: &Installation, server: &mut Server, app: &App, steps: &mut Steps) {
    sign_in(installation, BOB, SignInOutcome::OtpRequired).await;
    let right = server.code(&app.uri).await;
    let wrong = verify_by(
        &installation.session,
        CodeMethod::Totp,
        Secret::new(other_than(&right)),
    );
    let wrong = wrong.await.expect_err("a wrong code");
    assert_eq!(wrong.code, ErrorCode::OtpInvalid);
    assert!(wrong.message.contains("authenticator app"), "{wrong}");
    let right = server.code(&app.uri).await;
    let signed_in = by(installation, CodeMethod::Totp, &right).await;
    assert_eq!(signed_in, Ok(SignInOutcome::SignedIn));
    installation.refresh().await;
    steps.did("a code of the app", "signed in, and renewed");
    installation.sign_out().await;
}

async fn by_backup_code(installation: &Installation, app: &App, steps: &mut Steps) {
    let code = app.backup_codes.first().expect("one");
    sign_in(installation, BOB, SignInOutcome::OtpRequired).await;
    let signed_in = by(installation, CodeMethod::Recovery, code).await;
    assert_eq!(signed_in, Ok(SignInOutcome::SignedIn));
    installation.sign_out().await;
    sign_in(installation, BOB, SignInOutcome::OtpRequired).await;
    let again = verify_by(
        &installation.session,
        CodeMethod::Recovery,
        Secret::new(code.clone()),
    );
    let again = again.await.expect_err("it is used");
    assert_eq!(again.code, ErrorCode::OtpInvalid);
    assert!(again.message.contains("used before"), "{again}");
    installation.session.cancel_otp();
    steps.did("a backup code, twice", "signed in, then refused in words");
}

async fn trusted(
    installation: &mut Installation,
    server: &mut Server,
    app: &App,
    steps: &mut Steps,
) {
    sign_in(installation, BOB, SignInOutcome::OtpRequired).await;
    let open = challenge(installation);
    assert!(open.methods.iter().all(|it| it.can_trust_device));
    let input = OtpInput {
        trust_device: true,
        ..OtpInput::new(open.id, Secret::new(server.code(&app.uri).await))
    };
    let signed_in = installation.session.verify_otp(input).await;
    assert_eq!(signed_in, Ok(SignInOutcome::SignedIn));
    installation.sign_out().await;
    sign_in(installation, BOB, SignInOutcome::SignedIn).await;
    installation.sign_out().await;
    steps.did("sign in on a trusted device", "no code is wanted");
    installation.restart();
    installation.until_signed_out().await;
    sign_in(installation, BOB, SignInOutcome::SignedIn).await;
    installation.session.forget_trusted_device().await;
    installation.sign_out().await;
    steps.did("the same after a restart", "no code is wanted");
    sign_in(installation, BOB, SignInOutcome::OtpRequired).await;
    installation.session.cancel_otp();
    steps.did("the same, once that is forgotten", "a code is wanted");
}

async fn mail_alone(server: &mut Server, steps: &mut Steps) {
    let ann = Installation::new(profile("better-auth", &server.url(), &[ENABLE])).await;
    let made = RegisterInput::new("Ann", ANN, PASSWORD);
    let made = ann.session.register(made).await;
    assert_eq!(made, Ok(SignInOutcome::SignedIn));
    let body = json!({"password": PASSWORD, "method": "otp"});
    ann.post(ENABLE, &body).await;
    ann.sign_out().await;
    sign_in(&ann, ANN, SignInOutcome::OtpRequired).await;
    assert_eq!(methods(&ann), [CodeMethod::Otp]);
    let right = server.code(ANN).await;
    let signed_in = by(&ann, CodeMethod::Otp, &right).await;
    assert_eq!(signed_in, Ok(SignInOutcome::SignedIn), "sent by itself");
    ann.sign_out().await;
    steps.did(
        "an account with mail alone",
        "a code was sent, and is right",
    );
}

async fn no_codes_sent(server: &mut Server, app: &App, steps: &mut Steps) {
    let address = server.code("the server that sends no codes").await;
    let installation = Installation::new(profile("better-auth", &address, &[])).await;
    sign_in(&installation, BOB, SignInOutcome::OtpRequired).await;
    assert_eq!(
        methods(&installation),
        [CodeMethod::Totp, CodeMethod::Recovery]
    );
    let right = server.code(&app.uri).await;
    let signed_in = by(&installation, CodeMethod::Totp, &right).await;
    assert_eq!(signed_in, Ok(SignInOutcome::SignedIn));
    installation.sign_out().await;
    steps.did("a server that sends no codes", "signed in by app");
    let ann = installation.session.login(LoginInput::new(ANN, PASSWORD));
    let ann = ann.await.expect_err("no way to give a code");
    assert_eq!(ann.code, ErrorCode::Unsupported);
    assert!(ann.message.contains("operator"), "{ann}");
    steps.did("mail alone there", "says that the operator can mend it");

    // A profile that takes the app's name for that of a sent code.
    let mut mistaken = profile("better-auth", &address, &[]);
    mistaken["otp"] = json!({"codes": {"otp": {"names": ["totp"]}}});
    let mistaken = Installation::new(mistaken).await;
    sign_in(&mistaken, BOB, SignInOutcome::OtpRequired).await;
    let refused = mistaken.session.send_otp().await.expect_err("not sent");
    assert!(refused.message.contains("No code was sent"), "{refused}");
    assert!(
        refused.message.contains("otp isn't configured"),
        "{refused}"
    );
    mistaken.session.cancel_otp();
    steps.did("send-otp there", "OTP_NOT_CONFIGURED, in words");
}

async fn without_end(installation: &Installation, server: &mut Server, steps: &mut Steps) {
    sign_in(installation, BOB, SignInOutcome::OtpRequired).await;
    installation.session.send_otp().await.expect("sent");
    let wrong = other_than(&server.code(BOB).await);
    let mut refusals = Vec::new();
    while refusals
        .last()
        .is_none_or(|last| *last == ErrorCode::OtpInvalid)
    {
        assert!(
            refusals.len() < 20,
            "the server never stops accepting wrong codes"
        );
        let refused = by(installation, CodeMethod::Otp, &wrong).await;
        refusals.push(refused.expect_err("refused"));
    }
    assert_eq!(refusals.last(), Some(&ErrorCode::OtpSpent), "{refusals:?}");
    // The server has forgotten the code, as it does with one that is too old.
    let gone = by(installation, CodeMethod::Otp, &wrong).await;
    assert_eq!(gone, Err(ErrorCode::OtpSpent));
    installation.session.send_otp().await.expect("another one");
    let right = server.code(BOB).await;
    let signed_in = by(installation, CodeMethod::Otp, &right).await;
    assert_eq!(signed_in, Ok(SignInOutcome::SignedIn));
    installation.sign_out().await;
    steps.did(
        "wrong codes without end",
        format!("spent after {}, signed in by another", refusals.len()),
    );
}

async fn sign_in(installation: &Installation, email: &str, wanted: SignInOutcome) {
    let input = LoginInput::new(email, PASSWORD);
    assert_eq!(installation.session.login(input).await, Ok(wanted));
}

async fn by(
    installation: &Installation,
    method: CodeMethod,
    typed: &str,
) -> Result<SignInOutcome, ErrorCode> {
    let outcome = verify_by(&installation.session, method, Secret::new(typed)).await;
    outcome.map_err(|error| error.code)
}

fn challenge(installation: &Installation) -> Challenge {
    match installation.session.snapshot().state.phase {
        Phase::OtpPending { challenge } => challenge,
        other => panic!("{other:?}"),
    }
}

fn methods(installation: &Installation) -> Vec<CodeMethod> {
    let open = challenge(installation);
    open.methods.iter().map(|offered| offered.method).collect()
}

/// Six digits that differ from this code.
fn other_than(code: &str) -> String {
    if code == "000000" { "111111" } else { "000000" }.into()
}
