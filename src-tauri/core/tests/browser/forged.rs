//! ID tokens that are not what they should be. The provider's answers are replaced by forged ones.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};
use vestibule_backend::Fault;
use vestibule_core::ErrorCode;
use vestibule_core::wire::{SignInOutcome, SignedOutReason};
use vestibule_harness::{answer, code, merge, user, why};

use super::{App, TOKEN, approve_as_demo, outcome, parameter, visit};

pub(crate) struct Key(EcdsaKeyPair, &'static str);

impl Key {
    pub(crate) fn new(id: &'static str) -> Self {
        let (random, kind) = (SystemRandom::new(), &ECDSA_P256_SHA256_FIXED_SIGNING);
        let bytes = EcdsaKeyPair::generate_pkcs8(kind, &random).expect("a key");
        Self(
            EcdsaKeyPair::from_pkcs8(kind, bytes.as_ref(), &random).expect("a key"),
            id,
        )
    }

    pub(crate) fn public(&self) -> Value {
        let point = self.0.public_key().as_ref();
        let part = |range| URL_SAFE_NO_PAD.encode(&point[range]);
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.1,
               "x": part(1..33), "y": part(33..65)})
    }

    pub(crate) fn sign(&self, header: Value, claims: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&header), encode(claims));
        let signature = self
            .0
            .sign(&SystemRandom::new(), signed.as_bytes())
            .expect("signed");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

fn seconds() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.expect("after 1970").as_secs()
}

/// The claims of a sound token for this sign-in, with `change` merged into it.
pub(crate) fn claims(app: &App, nonce: &str, change: Value) -> Value {
    let mut claims = json!({
        "iss": app.backend().url(), "aud": "vestibule", "sub": "u-7", "nonce": nonce,
        "name": "Una", "email": "una@example.com", "iat": seconds(), "exp": seconds() + 600,
    });
    merge(&mut claims, change);
    if let Value::Object(members) = &mut claims {
        members.retain(|_, value| !value.is_null());
    }
    claims
}

/// Signs in with a token endpoint that answers this ID token, and keys that are these.
pub(crate) async fn sign_in(
    app: &App,
    keys: &[&Key],
    token: impl FnOnce(&str) -> Option<String>,
    headers: &[(&str, &str)],
) -> Result<SignInOutcome, vestibule_core::AuthError> {
    let published: Vec<_> = keys.iter().map(|key| key.public()).collect();
    let published = answer(200, json!({ "keys": published }), &[]);
    app.backend()
        .faults()
        .add(Fault::on("GET", "/oidc/keys", published));
    let attempt = app.click();
    let address = app
        .install
        .desktop
        .opening(app.install.desktop.opened().len().max(1))
        .await;
    let nonce = parameter(&address, "nonce").expect("a nonce");
    let mut body = json!({"access_token": "a", "refresh_token": "r", "token_type": "Bearer", "expires_in": 900});
    if let Some(token) = token(&nonce) {
        body["id_token"] = token.into();
    }
    app.backend()
        .faults()
        .add(Fault::on("POST", TOKEN, answer(200, body, headers)));
    visit(&approve_as_demo(&address).await).await;
    outcome(attempt).await
}

pub(crate) fn header() -> Value {
    json!({"alg": "ES256", "kid": "k1", "typ": "JWT"})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sound_token_signs_in() {
    for change in [
        json!({}),
        json!({"aud": ["vestibule", "an-api"], "azp": "vestibule"}),
        json!({"aud": ["an-api", "vestibule"]}),
        json!({"email_verified": "true"}),
        json!({"iat": 1}),
        json!({"exp": (seconds() + 600) * 1000}),
        json!({"exp": (seconds() + 600).to_string()}),
        json!({"azp": null, "updated_at": "yesterday", "address": 7}),
    ] {
        let (app, key) = (App::new().await, Key::new("k1"));
        let signed = |nonce: &str| Some(key.sign(header(), &claims(&app, nonce, change.clone())));
        let ended = sign_in(&app, &[&key], signed, &[]).await;
        assert_eq!(ended, Ok(SignInOutcome::SignedIn), "{change}");
        assert_eq!(
            user(&app.state()).map(|user| user.id.clone()),
            Some("u-7".into())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_not_for_this_sign_in_signs_nobody_in() {
    for change in [
        json!({"iss": "https://evil.example"}),
        json!({"aud": "another-app"}),
        json!({"aud": []}),
        json!({"aud": ["vestibule", "x"], "azp": "another-app"}),
        json!({"azp": ["another-app"]}),
        json!({"azp": 7}),
        json!({"nonce": "another"}),
        json!({"nonce": null}),
        json!({"exp": 1_000_000}),
        json!({"exp": null}),
        json!({"exp": -1}),
        json!({"sub": null}),
        json!({"sub": ""}),
        json!({"sub": 1e300}),
        json!({"sub": 18_446_744_073_709_551_616_f64}),
    ] {
        let (app, key) = (App::new().await, Key::new("k1"));
        let signed = |nonce: &str| Some(key.sign(header(), &claims(&app, nonce, change.clone())));
        let ended = sign_in(&app, &[&key], signed, &[]).await;
        assert_eq!(code(&ended), Some(ErrorCode::BadAnswer), "{change}");
        assert_eq!(why(&app.state()), Some(SignedOutReason::Never), "{change}");
        assert_eq!(app.install.item(), None, "{change}");
        app.backend().reached("POST", "/oidc/revoke", 1).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_kind_signs_nobody_in() {
    for (change, is_good) in [
        (json!({"crit": ["exp"]}), false),
        (json!({"crit": null}), false),
        (json!({"cty": "JWT"}), false),
        (json!({"typ": "at+jwt"}), false),
        (json!({"typ": "logout+jwt"}), false),
        (json!({"typ": 7}), false),
        (json!({"alg": "ES384"}), false),
        (json!({"alg": "RS256"}), false),
        (json!({"typ": null, "cty": null}), true),
        (json!({"typ": "application/JWT"}), true),
        (json!({"typ": "JOSE"}), true),
    ] {
        let (app, key) = (App::new().await, Key::new("k1"));
        let mut said = header();
        let members = said.as_object_mut().expect("a header");
        members.extend(change.as_object().expect("members").clone());
        let signed = |nonce: &str| Some(key.sign(said, &claims(&app, nonce, json!({}))));
        let ended = sign_in(&app, &[&key], signed, &[]).await;
        assert_eq!(ended.is_ok(), is_good, "{change}: {ended:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_of_nobodys_signs_nobody_in() {
    type Forge = fn(&App, &Key, &str) -> Option<String>;
    let forgeries: [(&str, Forge); 6] = [
        ("another key", |app, _, nonce| {
            Some(Key::new("k1").sign(header(), &claims(app, nonce, json!({}))))
        }),
        ("no algorithm", |app, key, nonce| {
            let none = json!({"alg": "none"});
            let signed = key.sign(none, &claims(app, nonce, json!({})));
            Some(format!("{}.", signed.rsplit_once('.').unwrap().0))
        }),
        ("a shared secret", |app, key, nonce| {
            // What everybody knows, used as the secret: the published key.
            let named = json!({"alg": "HS256", "kid": "k1"});
            let signed = key.sign(named, &claims(app, nonce, json!({})));
            let (signed, _) = signed.rsplit_once('.').unwrap();
            let secret = hmac::Key::new(hmac::HMAC_SHA256, key.0.public_key().as_ref());
            let signature = hmac::sign(&secret, signed.as_bytes());
            Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
        }),
        ("changed claims", |app, key, nonce| {
            let signed = key.sign(header(), &claims(app, nonce, json!({})));
            let (_, signature) = signed.rsplit_once('.').unwrap();
            let other = key.sign(header(), &claims(app, nonce, json!({"sub": "admin"})));
            Some(format!("{}.{signature}", other.rsplit_once('.').unwrap().0))
        }),
        ("no token", |_, _, _| None),
        ("no JWT", |_, _, _| Some("not.a.jwt".into())),
    ];
    for (name, forge) in forgeries {
        let (app, key) = (App::new().await, Key::new("k1"));
        let ended = sign_in(&app, &[&key], |nonce| forge(&app, &key, nonce), &[]).await;
        assert_eq!(
            code(&ended),
            Some(ErrorCode::BadAnswer),
            "{name}: {ended:?}"
        );
        assert_eq!(why(&app.state()), Some(SignedOutReason::Never), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_make_no_sense_have_words() {
    for odd in [json!("a page"), json!({"keys": 7}), json!({})] {
        let app = App::new().await;
        app.backend().faults().add(Fault::on(
            "GET",
            "/oidc/keys",
            answer(200, odd.clone(), &[]),
        ));
        let attempt = app.click();
        let address = app.install.desktop.opening(1).await;
        visit(&approve_as_demo(&address).await).await;
        let failed = outcome(attempt).await.expect_err("no keys");
        assert!(failed.message.contains("keys"), "{odd}: {}", failed.message);
        assert_eq!(app.install.item(), None);
    }
    // A key of a kind that nobody knows beside one that is good costs nothing.
    let (app, key) = (App::new().await, Key::new("k1"));
    let keys = json!({"keys": [{"kty": "XYZ", "kid": "k0"}, key.public()]});
    app.backend()
        .faults()
        .add(Fault::on("GET", "/oidc/keys", answer(200, keys, &[])));
    let signed = |nonce: &str| Some(key.sign(header(), &claims(&app, nonce, json!({}))));
    assert_eq!(
        sign_in(&app, &[&key], signed, &[]).await,
        Ok(SignInOutcome::SignedIn)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_providers_clock_judges_its_times() {
    // The provider lives in 2033 and says so in its answer: only our clock is wrong then.
    let later = seconds() + Duration::from_secs(220_000_000).as_secs();
    let date = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(later));
    let change = json!({"iat": later, "exp": later + 600});
    for (sent, is_good) in [
        (date.as_str(), true),
        // By our own clock it is not over either: only the end is judged.
        ("Sun, 06 Nov 1994 08:49:37 GMT", true),
    ] {
        let (app, key) = (App::new().await, Key::new("k1"));
        let signed = |nonce: &str| Some(key.sign(header(), &claims(&app, nonce, change.clone())));
        let ended = sign_in(&app, &[&key], signed, &[("date", sent)]).await;
        assert_eq!(ended.is_ok(), is_good, "{sent}: {ended:?}");
    }
    let past = json!({"iat": 800_000_000, "exp": 800_000_600});
    let (app, key) = (App::new().await, Key::new("k1"));
    let signed = |nonce: &str| Some(key.sign(header(), &claims(&app, nonce, past.clone())));
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(800_000_100);
    let old = httpdate::fmt_http_date(old);
    let ended = sign_in(&app, &[&key], signed, &[("date", &old)]).await;
    assert_eq!(
        ended,
        Ok(SignInOutcome::SignedIn),
        "a wrong clock here locks nobody out"
    );
}
