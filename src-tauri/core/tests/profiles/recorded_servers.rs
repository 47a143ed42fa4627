//! The profiles that were made from servers of npm, PyPI and Debian, each against what its server
//! answered: an account, a wrong password, a session, and its end. `cargo xtask servers` does the same
//! at the servers themselves.

use serde_json::{Value, json};
use vestibule_core::ErrorCode;
use vestibule_core::wire::{LoginInput, RegisterInput, SignInOutcome, SignedOutReason};
use vestibule_recordings::{
    DJ_REST_AUTH, DJANGO_OAUTH_TOOLKIT, DJOSER, FASTAPI_USERS, FEATHERS, PARSE, Recording, STRAPI,
    STRAPI_SESSIONS,
};

use crate::played::Played;
use vestibule_harness::{code, eventually, is_fresh, shown};

const ANN: &str = "ann@example.com";
const BOB: &str = "bob@example.com";
const PASSWORD: &str = "correct-horse";

/// A recorded server, and what is expected of its profile.
struct Server {
    profile: &'static str,
    recording: &'static str,
    /// The end of its base address.
    path: &'static str,
    /// Whom the window shows after Ann's sign-in.
    shown: &'static str,
    /// What a registration comes to; `None` where there is none.
    registers: Option<SignInOutcome>,
    /// The errors for a taken e-mail and for a weak password.
    refused: [Option<ErrorCode>; 2],
    /// Whether each refresh replaces the token.
    rotates: bool,
    /// The method and path of the sign-out.
    logout: Option<(&'static str, &'static str)>,
    /// Whether the recording ends with the refresh of a session that was signed out.
    ends: bool,
}

const USUAL: Server = Server {
    profile: "",
    recording: "",
    path: "",
    shown: ANN,
    registers: Some(SignInOutcome::SignedIn),
    refused: [Some(ErrorCode::EmailTaken), Some(ErrorCode::InvalidInput)],
    rotates: true,
    logout: None,
    ends: true,
};

impl Server {
    async fn play(&self) -> Played {
        let recording = Recording::parse(self.recording);
        Played::playing(recording, json!({"extends": self.profile}), self.path, &[]).await
    }

    /// A session over the part of the recording from this heading on.
    async fn from(&self, heading: &str, more: Value) -> Played {
        let recording = Recording::parse(self.recording).from(heading);
        let mut profile = json!({"extends": self.profile});
        vestibule_harness::merge(&mut profile, more);
        Played::playing(recording, profile, self.path, &[]).await
    }

    async fn register(&self, played: &Played) {
        let make = |email: &str, password: &str| {
            let input = RegisterInput::new("Bob", email, password);
            let session = played.session.clone();
            async move { session.register(input).await }
        };
        let made = make(BOB, PASSWORD).await;
        let Some(wanted) = self.registers else {
            assert_eq!(code(&made), Some(ErrorCode::Unsupported));
            return;
        };
        assert_eq!(made, Ok(wanted));
        if wanted == SignInOutcome::SignedIn {
            assert_eq!(shown(&played.state()).as_deref(), Some(BOB));
            self.sign_out(played, 1).await;
        }
        let [taken, weak] = self.refused;
        if taken.is_some() {
            assert_eq!(
                code(&make(BOB, PASSWORD).await),
                taken,
                "the e-mail is taken"
            );
        }
        if weak.is_some() {
            let refused = make("eve@example.com", "x").await;
            assert_eq!(code(&refused), weak, "the password is weak");
        }
    }

    async fn sign_out(&self, played: &Played, times: usize) {
        played.session.logout().await;
        let Some((method, path)) = self.logout else {
            return;
        };
        let path = format!("{}{path}", self.path);
        let told = || {
            let asked = played.player.played();
            let told = asked
                .iter()
                .filter(|it| it.method == method && it.path == path);
            told.count() == times
        };
        eventually("the sign-out at the server", told).await;
        eventually("its end here", || {
            !played.has_record("pending-sign-outs.json")
        })
        .await;
    }

    /// From the registration to the refresh after the sign-out.
    async fn is_described(&self) {
        let played = self.play().await;
        self.register(&played).await;
        let wrong = played.session.login(LoginInput::new(ANN, "no")).await;
        assert_eq!(code(&wrong), Some(ErrorCode::InvalidCredentials));

        played.sign_in(ANN, PASSWORD).await;
        assert_eq!(played.name(), self.shown);
        let (first, token) = (played.item(), played.kept());
        played.session.refresh().await.expect("renewed");
        assert_eq!(played.name(), self.shown);
        assert_eq!(played.kept() != token, self.rotates, "whether it is new");
        if self.rotates {
            let reused = played.copy(&first).until_signed_out().await;
            assert_eq!(reused, SignedOutReason::Expired, "as any wrong token");
            assert!(is_fresh(&played.state()), "the owner's session goes on");
        }

        let last = played.item();
        let signed_up = self.registers == Some(SignInOutcome::SignedIn);
        self.sign_out(&played, if signed_up { 2 } else { 1 }).await;
        if self.ends {
            let late = played.copy(&last).until_signed_out().await;
            assert_eq!(late, SignedOutReason::Expired);
        }
        played.check_no_strays();
    }

    /// A refresh after something has happened to the account or the token.
    async fn ends_after(&self, heading: &str, why: SignedOutReason) {
        let played = self.from(heading, json!({})).await;
        played.sign_in(ANN, PASSWORD).await;
        if self.rotates {
            // Sent with the token of the sign-in.
            played.session.refresh().await.expect_err("over");
        } else {
            let _ = played.session.refresh().await;
            let _ = played.session.refresh().await;
        }
        assert_eq!(played.until_signed_out().await, why, "{heading}");
        played.check_no_strays();
    }

    /// A sign-in that is refused.
    async fn refuses(&self, heading: &str, more: Value, wanted: ErrorCode) {
        let played = self.from(heading, more).await;
        let refused = played.session.login(LoginInput::new(ANN, PASSWORD)).await;
        assert_eq!(code(&refused), Some(wanted), "{heading}");
        played.check_no_strays();
    }
}

const DJ_REST_AUTH_SERVER: Server = Server {
    profile: "dj-rest-auth",
    recording: DJ_REST_AUTH,
    shown: "Ann",
    logout: Some(("POST", "/auth/logout/")),
    ..USUAL
};

const DJOSER_SERVER: Server = Server {
    profile: "djoser",
    recording: DJOSER,
    registers: Some(SignInOutcome::Accepted),
    logout: Some(("POST", "/auth/jwt/blacklist/")),
    ..USUAL
};

const DJANGO_OAUTH_TOOLKIT_SERVER: Server = Server {
    profile: "django-oauth-toolkit",
    recording: DJANGO_OAUTH_TOOLKIT,
    registers: None,
    logout: Some(("POST", "/o/revoke_token/")),
    ..USUAL
};

const FASTAPI_USERS_SERVER: Server = Server {
    profile: "fastapi-users",
    recording: FASTAPI_USERS,
    registers: Some(SignInOutcome::Accepted),
    rotates: false,
    logout: Some(("POST", "/auth/jwt/logout")),
    ends: false,
    ..USUAL
};

const STRAPI_SERVER: Server = Server {
    profile: "strapi",
    recording: STRAPI,
    rotates: false,
    ends: false,
    ..USUAL
};

const STRAPI_SESSIONS_SERVER: Server = Server {
    profile: "strapi-sessions",
    recording: STRAPI_SESSIONS,
    logout: Some(("POST", "/api/auth/logout")),
    ..USUAL
};

const PARSE_SERVER: Server = Server {
    profile: "parse",
    recording: PARSE,
    path: "/parse",
    rotates: false,
    logout: Some(("POST", "/logout")),
    ..USUAL
};

const FEATHERS_SERVER: Server = Server {
    profile: "feathers",
    recording: FEATHERS,
    shown: "Ann",
    registers: Some(SignInOutcome::Accepted),
    // It has no rule for passwords, and a taken e-mail is a fault of its database.
    refused: [Some(ErrorCode::BackendFault), None],
    rotates: false,
    logout: Some(("DELETE", "/authentication")),
    ends: false,
    ..USUAL
};

#[tokio::test(flavor = "multi_thread")]
async fn dj_rest_auth() {
    DJ_REST_AUTH_SERVER.is_described().await;
    let switched_off = "an account that was switched off";
    let revoked = SignedOutReason::Revoked;
    DJ_REST_AUTH_SERVER.ends_after(switched_off, revoked).await;
    let by_address = "a server where people sign in with their address";
    DJ_REST_AUTH_SERVER
        .refuses(by_address, json!({}), ErrorCode::Misconfigured)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn djoser() {
    DJOSER_SERVER.is_described().await;
    let switched_off = "an account that was switched off";
    let revoked = SignedOutReason::Revoked;
    DJOSER_SERVER.ends_after(switched_off, revoked).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn django_oauth_toolkit() {
    DJANGO_OAUTH_TOOLKIT_SERVER.is_described().await;
    // A body is replaced whole.
    let other = json!({"endpoints": {"login": {"body": {
        "grant_type": "password", "client_id": "nobody", "scope": "openid",
        "username": "$identifier", "password": "$password",
    }}}});
    DJANGO_OAUTH_TOOLKIT_SERVER
        .refuses(
            "a client that it does not know",
            other,
            ErrorCode::Misconfigured,
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fastapi_users() {
    FASTAPI_USERS_SERVER.is_described().await;
    FASTAPI_USERS_SERVER
        .ends_after("a token that it does not accept", SignedOutReason::Expired)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strapi() {
    STRAPI_SERVER.is_described().await;
    let blocked = "an account that was blocked";
    STRAPI_SERVER
        .ends_after(blocked, SignedOutReason::Expired)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn strapi_with_sessions() {
    STRAPI_SESSIONS_SERVER.is_described().await;
    // The refresh works all the same, and its token is refused.
    STRAPI_SESSIONS_SERVER
        .ends_after("an account that was blocked", SignedOutReason::Expired)
        .await;
    let played = STRAPI_SESSIONS_SERVER
        .from("too many tries", json!({}))
        .await;
    let limited = played.session.login(LoginInput::new(ANN, "no")).await;
    assert_eq!(code(&limited), Some(ErrorCode::RateLimited));
}

#[tokio::test(flavor = "multi_thread")]
async fn parse_server() {
    PARSE_SERVER.is_described().await;
    let other = json!({"headers": {"x-parse-application-id": "other"}});
    PARSE_SERVER
        .refuses(
            "an application that it does not know",
            other,
            ErrorCode::Misconfigured,
        )
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn feathers() {
    FEATHERS_SERVER.is_described().await;
    FEATHERS_SERVER
        .ends_after("a token that has expired", SignedOutReason::Expired)
        .await;
}
