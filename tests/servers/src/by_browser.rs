//! Sign-ins by the browser, and on another device: what a person does on the provider's pages.

use serde_json::json;
use tokio::task::JoinHandle;
use url::Url;
use vestibule_core::wire::{BrowserSignInInput, Phase, SessionState, SignInOutcome};
use vestibule_core::{AuthError, ErrorCode};
use vestibule_harness::{code, soon};

use crate::backends::PASSWORD;
use crate::browser::{Browser, Shown};
use crate::installation::Installation;
use crate::lifecycle::Trial;
use crate::steps::Steps;

/// A sign-in that goes on while the test plays the browser.
type Attempt = JoinHandle<Result<SignInOutcome, AuthError>>;

/// Signs in, from the click to the session.
pub async fn sign_in(trial: &mut Trial) {
    let (attempt, address) = click(&trial.installation).await;
    let typed = typed(trial.backend.email);
    let shown = trial.browser.say_yes(&address, &typed).await;
    come_back(&trial.installation, shown);
    assert_eq!(ended(attempt).await, Ok(SignInOutcome::SignedIn));
}

/// Types a wrong password, and gives the sign-in up in the app.
pub async fn wrong_password(trial: &mut Trial) -> String {
    let (attempt, address) = click(&trial.installation).await;
    let typed = [
        typed(trial.backend.email)[0],
        ("password", "not-the-password"),
    ];
    let Shown::Form(form) = trial.browser.open(&address).await else {
        panic!("a page that asks for the password");
    };
    let again = trial.browser.send(form, &typed, true).await;
    let asks_again = matches!(&again, Shown::Form(form) if form.wants_password());
    assert!(asks_again, "{again:?}");
    assert!(!attempt.is_finished(), "the app waits");
    trial.installation.session.cancel_browser_sign_in();
    let given_up = ended(attempt).await;
    assert_eq!(code(&given_up), Some(ErrorCode::BrowserSignInOver));
    "the page asks again".into()
}

/// Runs the steps that hold everywhere; returns how many there were.
pub async fn further(trial: &mut Trial) -> usize {
    let mut steps = Steps::default();
    again(trial, &mut steps).await;
    stranger(trial, &mut steps).await;
    steps.count()
}

/// The same, and a code for another device.
pub async fn further_with_codes(trial: &mut Trial) -> usize {
    let mut steps = Steps::default();
    again(trial, &mut steps).await;
    stranger(trial, &mut steps).await;
    says_no(trial, &mut steps).await;
    on_another_device(trial, &mut steps).await;
    steps.count()
}

/// The same at a web app's own page, and answers that come too late.
pub async fn further_by_page(trial: &mut Trial) -> usize {
    let mut steps = Steps::default();
    again(trial, &mut steps).await;
    stranger(trial, &mut steps).await;
    spent(trial, &mut steps).await;
    steps.count()
}

/// The browser still knows the person, who types no password.
async fn again(trial: &mut Trial, steps: &mut Steps) {
    let (attempt, address) = click(&trial.installation).await;
    let shown = trial.browser.say_yes(&address, &[]).await;
    come_back(&trial.installation, shown);
    assert_eq!(ended(attempt).await, Ok(SignInOutcome::SignedIn));
    trial.installation.refresh().await;
    trial.installation.sign_out().await;
    steps.did(
        "once more in the same browser",
        "signed in without a password",
    );
}

/// An answer to a sign-in that a newer one has replaced is nobody's.
async fn stranger(trial: &mut Trial, steps: &mut Steps) {
    let (first, before) = click(&trial.installation).await;
    let (second, address) = click(&trial.installation).await;
    let over = ended(first).await;
    assert_eq!(code(&over), Some(ErrorCode::BrowserSignInOver));
    let typed = typed(trial.backend.email);
    let mut other = Browser::new();
    match other.say_yes(&before, &typed).await {
        Shown::App(late) => {
            let taken = trial.installation.session.take_redirect(&late);
            assert!(!taken, "the answer of the first is not the second's");
        }
        Shown::Nobody => {}
        other => panic!("nobody listens any more: {other:?}"),
    }
    assert!(!second.is_finished(), "the second goes on");
    let shown = trial.browser.say_yes(&address, &typed).await;
    come_back(&trial.installation, shown);
    assert_eq!(ended(second).await, Ok(SignInOutcome::SignedIn));
    trial.installation.sign_out().await;
    steps.did(
        "two sign-ins at once",
        "the second one's answer alone counts",
    );
}

/// The person says no on the provider's page.
async fn says_no(trial: &mut Trial, steps: &mut Steps) {
    let (attempt, address) = click(&trial.installation).await;
    let Shown::Form(form) = trial.browser.open(&address).await else {
        panic!("a page that asks");
    };
    let shown = trial.browser.send(form, &[], false).await;
    come_back(&trial.installation, shown);
    let refused = ended(attempt).await;
    assert_eq!(code(&refused), Some(ErrorCode::BrowserSignInRefused));
    let words = refused.expect_err("refused").message;
    assert!(words.contains("cancelled"), "{words}");
    steps.did("no on the provider's page", "said so, nobody is signed in");
}

/// A code that is typed on another device, whose browser knows nobody.
async fn on_another_device(trial: &mut Trial, steps: &mut Steps) {
    let session = trial.installation.session.clone();
    let input = BrowserSignInInput {
        device: true,
        ..BrowserSignInInput::default()
    };
    let attempt = tokio::spawn(async move { session.sign_in_by_browser(input).await });
    let has_code = |state: &SessionState| device_code(state).is_some();
    let state = trial.installation.until("a code", has_code).await;
    let (address, user_code) = device_code(&state).expect("a code");
    let mut other = Browser::new();
    let typed = [
        &typed(trial.backend.email)[..],
        &[("user_code", &user_code)],
    ]
    .concat();
    let shown = other.say_yes(&address, &typed).await;
    assert!(
        matches!(shown, Shown::Page { status: 200, .. }),
        "{shown:?}"
    );
    assert_eq!(ended(attempt).await, Ok(SignInOutcome::SignedIn));
    assert_eq!(trial.installation.until_fresh().await, trial.backend.shown);
    trial.installation.refresh().await;
    trial.installation.sign_out().await;
    steps.did("a code on another device", "signed in, and renewed");
}

fn device_code(state: &SessionState) -> Option<(Url, String)> {
    let Phase::BrowserPending { sign_in } = &state.phase else {
        return None;
    };
    let shown = sign_in.device.as_ref()?;
    let address = Url::parse(&shown.address).expect("an address");
    Some((address, shown.code.clone()))
}

/// A one-time token of Better Auth that somebody has spent.
async fn spent(trial: &mut Trial, steps: &mut Steps) {
    let (attempt, address) = click(&trial.installation).await;
    let typed = typed(trial.backend.email);
    let Shown::App(back) = trial.browser.say_yes(&address, &typed).await else {
        panic!("back to the app");
    };
    let identifier = identifier(&back);
    let body = json!({"token": identifier, "state": "guessed", "code_verifier": "guessed"});
    let exchange = format!("{}/api/auth/electron/token", trial.server.url());
    let client = reqwest::Client::builder()
        .no_proxy()
        .build()
        .expect("a client");
    let request = client
        .post(exchange)
        .header("content-type", "application/json");
    let answer = request
        .body(body.to_string())
        .send()
        .await
        .expect("an answer");
    assert_eq!(
        answer.status().as_u16(),
        400,
        "it is spent, and nobody has it"
    );
    assert!(trial.installation.session.take_redirect(&back));
    let refused = ended(attempt).await;
    assert_eq!(
        code(&refused),
        Some(ErrorCode::BrowserSignInRefused),
        "{refused:?}"
    );
    let words = refused.expect_err("refused").message;
    assert!(words.contains("Start again"), "{words}");
    steps.did("a token that a thief has tried", "nobody has it, in words");
}

/// What the answer of Better Auth's page holds.
fn identifier(back: &Url) -> String {
    use base64::Engine as _;
    let fragment = back.fragment().expect("a fragment");
    let (_, token) = (url::form_urlencoded::parse(fragment.as_bytes()))
        .find(|(name, _)| name == "token")
        .expect("a token");
    let bytes = base64::engine::general_purpose::URL_SAFE.decode(token.as_bytes());
    let token: serde_json::Value = serde_json::from_slice(&bytes.expect("base64")).expect("JSON");
    token["identifier"].as_str().expect("a text").to_owned()
}

/// Clicks on the button. Returns what the browser was to open.
async fn click(installation: &Installation) -> (Attempt, Url) {
    let number = installation.desktop.opened().len() + 1;
    let session = installation.session.clone();
    let input = BrowserSignInInput::default();
    let attempt = tokio::spawn(async move { session.sign_in_by_browser(input).await });
    let address = installation.desktop.opening(number).await;
    (attempt, address)
}

/// Where the browser ends: at the page that says that the app goes on, or in the app by its scheme.
fn come_back(installation: &Installation, shown: Shown) {
    match shown {
        Shown::App(address) => assert!(installation.session.take_redirect(&address), "{address}"),
        Shown::Page { status, text } => assert_eq!(status, 200, "{text}"),
        Shown::Form(form) => panic!("a page asks more: {form:?}"),
        Shown::Nobody => panic!("the app does not listen"),
    }
}

/// What a person types, by the names of fields here.
fn typed(email: &str) -> [(&str, &str); 3] {
    [
        ("email", email),
        ("username", email),
        ("password", PASSWORD),
    ]
}

async fn ended(attempt: Attempt) -> Result<SignInOutcome, AuthError> {
    let ended = soon("the sign-in to end", attempt).await;
    ended.expect("it does not panic")
}
