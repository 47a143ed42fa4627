//! A provider that demands a secret of every client: where it goes, by what the provider takes.

use serde_json::{Value, json};
use vestibule_backend::{Effect, Fault};
use vestibule_core::wire::SignInOutcome;
use vestibule_harness::eventually;

use super::forged::{Key, claims, header, sign_in};
use super::{App, TOKEN};

const CONFIGURATION: &str = "/.well-known/openid-configuration";

/// Signs in where discovery has these members. The bundled provider itself takes no secret.
async fn signed_in(discovery: Value) -> App {
    let secret = json!({"client_secret": "s+1", "client_secret_is_public": true});
    let (app, key) = (App::with(secret).await, Key::new("k1"));
    let patch = Effect::Patch { body: discovery };
    app.backend()
        .faults()
        .add(Fault::on("GET", CONFIGURATION, patch));
    let signed = |nonce: &str| Some(key.sign(header(), &claims(&app, nonce, json!({}))));
    let ended = sign_in(&app, &[&key], signed, &[]).await;
    assert_eq!(ended, Ok(SignInOutcome::SignedIn));
    app
}

/// Whether request `number` to this path had the secret in its body, and whether in its header.
async fn of(app: &App, path: &str, number: usize) -> (bool, bool) {
    let all = || app.backend().recent_requests("POST", path);
    eventually("the request", || all().len() >= number).await;
    let request = all().swap_remove(number - 1);
    let mut form = url::form_urlencoded::parse(&request.body);
    let in_body = form.any(|(name, value)| name == "client_secret" && value == "s+1");
    // `vestibule:s%2B1`
    let in_header = request.header("authorization") == Some("Basic dmVzdGlidWxlOnMlMkIx");
    (in_body, in_header)
}

const BODY: (bool, bool) = (true, false);
const HEADER: (bool, bool) = (false, true);

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_goes_where_the_provider_takes_it() {
    let (basic, post) = (
        json!(["client_secret_basic"]),
        json!(["client_secret_post"]),
    );
    for (at_token, at_revoke, exchanged, revoked) in [
        (&basic, &Value::Null, HEADER, HEADER),
        (&post, &Value::Null, BODY, BODY),
        (&basic, &post, HEADER, BODY),
        (&post, &basic, BODY, HEADER),
        (&Value::Null, &Value::Null, HEADER, HEADER),
    ] {
        let app = signed_in(json!({
            "token_endpoint_auth_methods_supported": at_token,
            "revocation_endpoint_auth_methods_supported": at_revoke,
        }))
        .await;
        assert_eq!(
            of(&app, TOKEN, 1).await,
            exchanged,
            "{at_token} {at_revoke}"
        );
        app.install.session.logout().await;
        let both = [1, 2].map(|number| of(&app, "/oidc/revoke", number));
        for one in both {
            assert_eq!(one.await, revoked, "{at_token} {at_revoke}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_discovery_it_goes_where_every_server_takes_it() {
    let methods = json!({"token_endpoint_auth_methods_supported": ["client_secret_post"]});
    let mut app = signed_in(methods).await;
    app.backend().faults().clear();
    let broken = vestibule_harness::answer(200, json!("a page"), &[]);
    app.backend()
        .faults()
        .add(Fault::on("GET", CONFIGURATION, broken));
    app.install.restart();
    assert_eq!(of(&app, TOKEN, 2).await, HEADER, "RFC 6749 §2.3.1");
}
