//! Endpoints at another origin than the backend's.

use std::time::Duration;

use vestibule_core::ErrorCode;

use super::{ANN, found_dead, name, ok, profile, refused_as};
use crate::played::{Played, said};
use vestibule_harness::{eventually, get, is_fresh};
use vestibule_recordings::{Player, Recording};

/// A second server beside the backend.
async fn other(exchanges: &[String]) -> Player {
    let recording = Recording::parse(&exchanges.concat());
    Player::start(recording, &[]).await.expect("a port")
}

/// A token with these claims.
fn jwt(claims: &str) -> String {
    use base64::Engine as _;
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(claims);
    format!("e30.{claims}.c2ln")
}

#[tokio::test(flavor = "multi_thread")]
async fn firebase_signs_in_elsewhere_and_gets_nothing_that_is_not_named() {
    let token = |n: u8| {
        jwt(&format!(
            r#"{{"user_id":"u-7","name":"Ann {n}","email":"ann@example.com","email_verified":true}}"#
        ))
    };
    let login_call = r#"POST /v1/accounts:signInWithPassword?key=web-api-key -d {"email":"ann@example.com","password":"pw","returnSecureToken":true}"#;
    let refresh = |n: u8| {
        format!("POST /v1/token?key=web-api-key -d grant_type=refresh_token&refresh_token=r-{n}")
    };
    let refused = |code: &str| format!(r#"{{"error":{{"code":400,"message":"{code}"}}}}"#);
    let cookie = "Set-Cookie: theirs=1; Path=/";
    let identity = other(&[
        said(
            login_call,
            "400 Bad Request",
            &[],
            &refused("INVALID_LOGIN_CREDENTIALS"),
        ),
        said(
            login_call,
            "200 OK",
            &[cookie],
            &format!(
                r#"{{"idToken":"{}","refreshToken":"r-1","expiresIn":"3600","localId":"u-7"}}"#,
                token(1)
            ),
        ),
    ])
    .await;
    let renewed = |n: u8| {
        format!(
            r#"{{"id_token":"{}","refresh_token":"r-{n}","expires_in":"3600","user_id":"u-7"}}"#,
            token(n)
        )
    };
    let tokens = other(&[
        ok(&refresh(1), &renewed(2)),
        ok(&refresh(2), &renewed(3)),
        said(
            &refresh(3),
            "400 Bad Request",
            &[],
            &refused("TOKEN_EXPIRED"),
        ),
    ])
    .await;
    let (file, text) = profile!("firebase");
    let text = text
        .replace("https://identitytoolkit.googleapis.com", &identity.url())
        .replace("https://securetoken.googleapis.com", &tokens.url())
        .replace("[session]", "[cookies]\ndevice = \"d\"\n\n[session]");
    let orders = |n: u8| {
        let bearer = format!("-H Authorization: Bearer {}", token(n));
        format!("GET /orders {bearer} -H X-App: desk -b jar")
    };
    let mut played = Played::described(
        file,
        &text,
        &[
            said(&orders(1), "200 OK", &["Set-Cookie: own=1; Path=/"], "[]"),
            ok(&orders(2), "[]"),
        ],
    )
    .await;
    refused_as(&played, &[ErrorCode::InvalidCredentials]).await;
    played.sign_in(ANN, "pw").await;
    assert_eq!(name(&played).as_deref(), Some("Ann 1"), "from the claims");
    let reply = played.session.fetch(get("/orders")).await.expect("a call");
    assert_eq!(reply.status, 200);
    played.session.refresh().await.expect("renewed");
    assert_eq!(name(&played).as_deref(), Some("Ann 2"));
    let reply = played.session.fetch(get("/orders")).await.expect("a call");
    assert_eq!(reply.status, 200);
    played.restart();
    played.until("the session after a start", is_fresh).await;
    assert_eq!(played.kept(), "r-3");
    found_dead(&played).await;

    assert_eq!((identity.played().len(), tokens.played().len()), (2, 3));
    assert!(identity.strays().is_empty() && tokens.strays().is_empty());
    for head in [identity.heads(), tokens.heads()].concat() {
        let mut names: Vec<_> = head
            .lines()
            .skip(1)
            .filter_map(|line| Some(line.split_once(':')?.0.to_ascii_lowercase()))
            .collect();
        names.sort();
        let known = [
            "accept",
            "accept-encoding",
            "content-length",
            "content-type",
            "host",
            "user-agent",
        ];
        assert_eq!(names, known, "nothing else goes there");
        assert!(
            !head.contains(&token(1)) && !head.contains("desk"),
            "{head}"
        );
    }
    for head in played.player.heads() {
        let cookies = head.lines().find(|line| line.starts_with("cookie:"));
        let cookies = cookies.expect("the device's");
        assert!(!cookies.contains("theirs"), "a cookie of another origin");
        assert!(!head.contains("r-1") && !head.contains("web-api-key"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cognito_has_a_list_of_attributes() {
    let call = |target: &str, body: &str| {
        format!(
            "POST / -H X-Amz-Target: AWSCognitoIdentityProviderService.{target} \
             -H Content-Type: application/x-amz-json-1.1 -d {body}"
        )
    };
    let login_call = call(
        "InitiateAuth",
        r#"{"AuthFlow":"USER_PASSWORD_AUTH","ClientId":"desk","AuthParameters":{"USERNAME":"ann@example.com","PASSWORD":"pw"}}"#,
    );
    let refresh = call(
        "InitiateAuth",
        r#"{"AuthFlow":"REFRESH_TOKEN_AUTH","ClientId":"desk","AuthParameters":{"REFRESH_TOKEN":"r-1"}}"#,
    );
    let me = |n: u8| call("GetUser", &format!(r#"{{"AccessToken":"a-{n}"}}"#));
    let who = r#"{"Username":"u-7","UserAttributes":[{"Name":"sub","Value":"s-7"},{"Name":"email_verified","Value":"true"},{"Name":"name","Value":"Ann"},{"Name":"email","Value":"ann@example.com"}]}"#;
    let pool = other(&[
        said(
            &login_call,
            "400 Bad Request",
            &[],
            r#"{"__type":"NotAuthorizedException","message":"Incorrect username or password."}"#,
        ),
        ok(
            &login_call,
            r#"{"AuthenticationResult":{"AccessToken":"a-1","ExpiresIn":3600,"RefreshToken":"r-1"}}"#,
        ),
        ok(&me(1), who),
        ok(
            &refresh,
            r#"{"AuthenticationResult":{"AccessToken":"a-2","ExpiresIn":3600}}"#,
        ),
        ok(&me(2), who),
        ok(
            &call("RevokeToken", r#"{"ClientId":"desk","Token":"r-1"}"#),
            "{}",
        ),
    ])
    .await;
    let (file, text) = profile!("cognito");
    let text = text.replace(
        "https://cognito-idp.eu-central-1.amazonaws.com",
        &pool.url(),
    );
    let played = Played::described(
        file,
        &text,
        &[ok("GET /orders -H Authorization: Bearer a-2", "[]")],
    )
    .await;
    refused_as(&played, &[ErrorCode::InvalidCredentials]).await;
    played.sign_in(ANN, "pw").await;
    let state = played.session.snapshot().state;
    let user = vestibule_harness::user(&state).expect("signed in");
    assert_eq!(
        (user.id.as_str(), user.name.as_str(), user.email.as_str()),
        ("s-7", "Ann", ANN)
    );
    assert!(user.email_verified);
    played.session.refresh().await.expect("renewed");
    let reply = played.session.fetch(get("/orders")).await.expect("a call");
    assert_eq!(reply.status, 200);
    played.session.logout().await;
    eventually("the sign-out", || pool.played().len() == 6).await;
    assert!(pool.strays().is_empty(), "{:?}", pool.strays());
    played.check_no_strays();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_stays_with_the_origins_that_it_came_from() {
    let login_call = "POST /v1/accounts:signInWithPassword?key=web-api-key -d";
    let body = r#"{"email":"ann@example.com","password":"pw","returnSecureToken":true}"#;
    let granted = format!(
        r#"{{"idToken":"{}","refreshToken":"r-1","expiresIn":"3600"}}"#,
        jwt(r#"{"user_id":"u-7","name":"Ann"}"#)
    );
    let identity = other(&[ok(&format!("{login_call} {body}"), &granted)]).await;
    let nobody = ok("GET /nothing", "{}");
    let thief = other(std::slice::from_ref(&nobody)).await;
    let (file, text) = profile!("firebase");
    let text = text
        .replace("https://identitytoolkit.googleapis.com", &identity.url())
        .replace("https://securetoken.googleapis.com", &identity.url());
    let mut played = Played::described(file, &text, std::slice::from_ref(&nobody)).await;
    played.sign_in(ANN, "pw").await;
    let moved = serde_json::json!({"endpoints": {"refresh": {"origin": thief.url()}}});
    let layers = [
        vestibule_core::profile::Layer::text("firebase.toml", &text).expect("a layer"),
        vestibule_core::profile::Layer::inline("the test", moved),
        vestibule_core::profile::Layer::inline(
            "the test",
            serde_json::json!({"backend": played.player.url()}),
        ),
    ];
    played.profile = vestibule_core::profile::load(&layers).expect("a profile");
    played.restart();
    played
        .until("a start without the session", |state| {
            vestibule_harness::why(state).is_some() || vestibule_harness::user(state).is_none()
        })
        .await;
    played.pass(Duration::from_secs(60));
    assert!(thief.heads().is_empty(), "no token goes to another origin");
}
