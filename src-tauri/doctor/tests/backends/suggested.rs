//! Backends of which nothing is known but the address and an account: the doctor prints a profile, and
//! with what it has printed the app works. Each shape is played plain, and with other names.

use serde_json::json;
use vestibule_core::Secret;
use vestibule_core::profile::{Layer, Profile, load};
use vestibule_doctor::{Account, Hints, Holds, Outcome, Plan, Report, Suggestion};
use vestibule_harness::PASSWORD;

use crate::played::{Names, Played, Reply, Request, renamed};
use crate::shapes::{
    EMAIL, access_and_refresh, cookie_pair, form_token_endpoint, jwt_and_opaque, single_token,
    stateless, token_in_header,
};
use crate::support::{Clerk, examined, holds};

fn plan(url: &str) -> Plan {
    let profile = Profile::default().with_backend(url).expect("an address");
    let mut plan = Plan::new(profile);
    plan.is_guess = true;
    plan.account = Some(Account {
        email: EMAIL.into(),
        password: Secret::new(PASSWORD),
    });
    plan
}

async fn look(plan: &Plan) -> Report {
    examined(plan, std::sync::Arc::new(Clerk::default())).await
}

#[track_caller]
fn written(report: &Report) -> String {
    match &report.suggestion {
        Suggestion::Written { toml, .. } => toml.to_string(),
        other => panic!("{other:#?}\n{:#?}", report.notes),
    }
}

/// Wrong sign-ins of the account that the backend has seen.
fn wrong_tries(played: &Played) -> usize {
    let requests = played.requests();
    let tried = requests.iter().filter(|one| one.body.contains("wrong-"));
    tried.count()
}

/// Examines, takes the printed text as `--profile FILE` does, and examines by that.
async fn works_as_printed(played: &Played, plan: &Plan) -> (Report, String) {
    let report = look(plan).await;
    let toml = written(&report);
    for id in ["login", "login_user", "login_token", "refresh"] {
        holds(&report, id);
    }
    assert!(wrong_tries(played) <= 3, "{}", wrong_tries(played));
    let layer = Layer::text("profile.toml", &toml).expect("TOML");
    let profile = load(&[layer]).unwrap_or_else(|error| panic!("{error}\n{toml}"));
    let mut again = plan.clone();
    again.profile = profile;
    again.is_guess = false;
    let printed = look(&again).await;
    for id in [
        "login",
        "login_user",
        "login_token",
        "login_wrong",
        "refresh",
        "unknown_token",
    ] {
        holds(&printed, id);
    }
    assert_eq!(printed.outcome, Outcome::Fits, "{printed:#?}\n{toml}");
    (report, toml)
}

/// The password went nowhere but to this path.
#[track_caller]
fn asked_nowhere_else(played: &Played, path: &str) {
    for request in played.requests() {
        let carries = request.body.contains(PASSWORD);
        assert!(!carries || request.path == path, "{request:?}");
    }
}

async fn plain_and_renamed<B>(
    backend: impl Fn() -> B,
    login: &str,
    names: Names,
    hints: Hints,
) -> [String; 2]
where
    B: Fn(&Request) -> Reply + Send + Sync + 'static,
{
    let played = Played::start(backend()).await;
    let (_, plain) = works_as_printed(&played, &plan(&played.url())).await;
    asked_nowhere_else(&played, login);

    let path = hints.login_path.clone().expect("the sign-in's path");
    let played = Played::start(renamed(names, backend())).await;
    let mut plan = plan(&played.url());
    plan.hints = hints;
    let (_, other) = works_as_printed(&played, &plan).await;
    asked_nowhere_else(&played, &path);
    [plain, other]
}

fn at(login: &str) -> Hints {
    Hints {
        login_path: Some(login.into()),
        ..Hints::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_endpoint_that_reads_forms() {
    let names = Names {
        paths: vec![
            ("/o/token/", "/x/enter"),
            ("/o/revoke_token/", "/x/revoke"),
            ("/me", "/x/whoami"),
        ],
        members: vec![
            ("access_token", "aa1"),
            ("refresh_token", "bb2"),
            ("pk", "cc3"),
            ("expires_in", "dd4"),
        ],
        ..Names::default()
    };
    let hints = Hints {
        login_body: Some("grant_type=password&username=$identifier&password=$password".into()),
        ..at("/x/enter")
    };
    let [plain, other] = plain_and_renamed(form_token_endpoint, "/o/token/", names, hints).await;
    assert!(plain.contains("encoding = \"form\""), "{plain}");
    assert!(
        plain.contains("invalid_grant"),
        "the rules name the code:\n{plain}"
    );
    assert!(
        other.contains("\"/aa1\"") && other.contains("\"/bb2\""),
        "{other}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pair_of_cookies() {
    let names = Names {
        paths: vec![
            ("/api/login", "/zz/in"),
            ("/api/me", "/zz/whoami"),
            ("/api/logout", "/zz/signout"),
        ],
        members: vec![("email", "q1"), ("user", "q2"), ("pk", "q3")],
        cookies: vec![("session", "kk"), ("session.sig", "kk.s")],
    };
    let hints = Hints {
        login_body: Some(r#"{"q1": "$identifier", "password": "$password"}"#.into()),
        ..at("/zz/in")
    };
    let [plain, other] = plain_and_renamed(cookie_pair, "/api/login", names, hints).await;
    assert!(
        plain.contains("refresh = [\"session\", \"session.sig\"]"),
        "{plain}"
    );
    assert!(other.contains("refresh = [\"kk\", \"kk.s\"]"), "{other}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_token_in_a_scheme_of_its_own() {
    let names = Names {
        paths: vec![
            ("/auth/login/", "/v/open"),
            ("/auth/user/", "/v/account"),
            ("/auth/logout/", "/v/sign-out"),
        ],
        members: vec![
            ("username", "w1"),
            ("key", "w2"),
            ("pk", "w3"),
            ("email", "w4"),
        ],
        ..Names::default()
    };
    let [plain, other] =
        plain_and_renamed(single_token, "/auth/login/", names, at("/v/open")).await;
    for toml in [plain, other] {
        assert!(
            toml.contains("single_token = true") && toml.contains("Token $access_token"),
            "{toml}"
        );
        assert!(
            toml.contains("is = \"invalid_credentials\""),
            "a rule for the wrong password:\n{toml}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_in_headers() {
    let names = Names {
        paths: vec![
            ("/auth/login", "/b/go"),
            ("/auth/refresh", "/b/renew"),
            ("/auth/logout", "/b/log-out"),
        ],
        members: vec![("id", "k1"), ("email", "k2"), ("password", "k3")],
        ..Names::default()
    };
    let hints = Hints {
        login_body: Some(r#"{"k2": "$identifier", "k3": "$password"}"#.into()),
        ..at("/b/go")
    };
    let [plain, other] = plain_and_renamed(token_in_header, "/auth/login", names, hints).await;
    for toml in [plain, other] {
        assert!(toml.contains("x-refresh-token"), "{toml}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn access_and_refresh_under_short_names() {
    let names = Names {
        paths: vec![
            ("/auth/jwt/create/", "/n/one"),
            ("/auth/jwt/refresh/", "/n/refresh"),
            ("/auth/token/blacklist/", "/n/logout"),
            ("/auth/users/me/", "/n/me"),
        ],
        members: vec![
            ("access", "m1"),
            ("refresh", "m2"),
            ("pk", "m3"),
            ("username", "m4"),
        ],
        ..Names::default()
    };
    let [plain, other] =
        plain_and_renamed(access_and_refresh, "/auth/jwt/create/", names, at("/n/one")).await;
    assert!(plain.contains("refresh = \"$refresh_token\""), "{plain}");
    assert!(
        plain.contains("user_from = \"me\"") && plain.contains("id = [\"/pk\"]"),
        "{plain}"
    );
    assert!(
        other.contains("m2 = \"$refresh_token\"") && other.contains("m4 = \"$identifier\""),
        "{other}"
    );
}

/// Renamed, nothing but its length says that the second is a token, and no refusal names it.
#[tokio::test(flavor = "multi_thread")]
async fn a_jwt_and_an_opaque_token_in_an_envelope() {
    let names = Names {
        paths: vec![
            ("/auth/login", "/g/enter"),
            ("/auth/refresh", "/g/renew"),
            ("/auth/logout", "/g/sign-out"),
            ("/users/me", "/g/whoami"),
        ],
        members: vec![
            ("data", "m1"),
            ("access_token", "m2"),
            ("refresh_token", "m3"),
            ("expires", "m4"),
        ],
        ..Names::default()
    };
    let [plain, other] =
        plain_and_renamed(jwt_and_opaque, "/auth/login", names, at("/g/enter")).await;
    assert!(
        plain.contains("refresh_token = \"$refresh_token\""),
        "{plain}"
    );
    assert!(other.contains("m3 = \"$refresh_token\""), "{other}");
    assert!(other.contains("[endpoints.logout]"), "{other}");
}

/// A token that cannot be ended fits by the same words, whether there is a sign-out or not.
#[tokio::test(flavor = "multi_thread")]
async fn a_stateless_token() {
    let names = Names {
        paths: vec![
            ("/api/auth/local", "/s/in"),
            ("/api/users/me", "/s/users/me"),
            ("/api/auth/logout", "/s/logout"),
        ],
        members: vec![("jwt", "j1"), ("user", "j2"), ("identifier", "j3")],
        ..Names::default()
    };
    for has_sign_out in [true, false] {
        let [plain, other] = plain_and_renamed(
            || stateless(has_sign_out),
            "/api/auth/local",
            names.clone(),
            at("/s/in"),
        )
        .await;
        for toml in [plain, other] {
            assert_eq!(toml.contains("[endpoints.logout]"), has_sign_out, "{toml}");
            assert!(toml.contains("Invalid identifier or password"), "{toml}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_found_one_sentence_says_what_is_missing() {
    let played = Played::start(|_: &Request| Reply::missing()).await;
    let report = look(&plan(&played.url())).await;
    let Suggestion::Missing { what } = &report.suggestion else {
        panic!("{:#?}", report.suggestion);
    };
    assert!(what.contains("--login-path"), "{what}");
    assert_eq!(report.outcome, Outcome::NotExamined);
    assert_eq!(
        report.counts.fail, 0,
        "a guess counts against nobody: {report:#?}"
    );
    assert!(
        played
            .requests()
            .iter()
            .all(|one| !one.body.contains(PASSWORD))
    );

    let refuses = |_: &Request| Reply::json(403, json!({"error": "unauthorized"}));
    let played = Played::start(refuses).await;
    let report = look(&plan(&played.url())).await;
    let Suggestion::Missing { what } = &report.suggestion else {
        panic!("{:#?}", report.suggestion);
    };
    assert!(what.contains("--header"), "{what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_account_is_tried_three_times_at_most() {
    let played = Played::start(stateless(false)).await;
    let mut plan = plan(&played.url());
    if let Some(account) = &mut plan.account {
        account.password = Secret::new("not the password");
    }
    let report = look(&plan).await;
    assert!(
        matches!(report.suggestion, Suggestion::Missing { .. }),
        "{report:#?}"
    );
    let requests = played.requests();
    let tried = requests
        .iter()
        .filter(|one| one.body.contains("not the password"));
    assert!(tried.count() <= 3);
}

/// What a backend calls its members reaches no terminal as it is.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_is_printed_speaks_to_the_terminal() {
    let evil = "x\u{1b}]0;gone\u{7}\u{202e}\u{9b}2J";
    let inner = stateless(false);
    let played = Played::start(move |request: &Request| {
        let mut reply = inner(request);
        if let Ok(mut body) = serde_json::from_str::<serde_json::Value>(&reply.body)
            && let Some(members) = body.as_object_mut()
        {
            members.insert(evil.into(), json!({evil: evil}));
            reply.body = body.to_string();
        }
        reply
    })
    .await;
    let report = look(&plan(&played.url())).await;
    let table = vestibule_doctor::table(&report).to_string();
    let is_sent = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
    assert!(!table.chars().any(is_sent), "{table:?}");
    assert!(table.contains("\\u{1b}"), "it is shown: {table}");
}

/// A sign-out that ends the session and answers 401 is no fault.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_that_answers_401_and_ends_the_session_is_believed() {
    let inner = single_token();
    let played = Played::start(move |request: &Request| {
        let reply = inner(request);
        match (request.path.as_str(), reply.status) {
            ("/auth/logout/", 200) => {
                Reply::json(401, json!({"meta": {"is_authenticated": false}}))
            }
            _ => reply,
        }
    })
    .await;
    let (report, _) = works_as_printed(&played, &plan(&played.url())).await;
    holds(&report, "logout");
    assert_ne!(report.row("logout_ends").holds, Holds::No);
}

/// A search that comes to nothing leaves no session.
#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_a_search_that_finds_nothing_is_ended() {
    let inner = access_and_refresh();
    let played = Played::start(move |request: &Request| match request.path.as_str() {
        "/auth/jwt/refresh/" | "/auth/users/me/" => Reply::missing(),
        _ => inner(request),
    })
    .await;
    let report = look(&plan(&played.url())).await;
    let Suggestion::Missing { what } = &report.suggestion else {
        panic!("{:#?}", report.suggestion);
    };
    assert!(
        what.contains("--refresh-path") && what.contains("--me-path"),
        "{what}"
    );
    let requests = played.requests();
    let ended = requests
        .iter()
        .filter(|one| one.path == "/auth/token/blacklist/");
    assert!(ended.count() > 1, "the refresh token was given back");
}
