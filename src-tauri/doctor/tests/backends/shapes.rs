//! The shapes in which real backends carry a session, played: each a state and a function.

use std::collections::BTreeSet;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use uuid::Uuid;
use vestibule_harness::PASSWORD;

use crate::played::{Reply, Request};

pub const EMAIL: &str = "ann@example.com";

/// The tokens that are alive.
#[derive(Default)]
pub struct Alive(Mutex<BTreeSet<String>>);

impl Alive {
    fn issue(&self, kind: &str) -> String {
        let token = format!(
            "{kind}{}{}",
            Uuid::new_v4().simple(),
            Uuid::new_v4().simple()
        );
        self.lock().insert(token.clone());
        token
    }

    fn has(&self, token: &str) -> bool {
        self.lock().contains(token)
    }

    fn end(&self, token: &str) -> bool {
        self.lock().remove(token)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.0.lock().expect("nobody panicked")
    }
}

fn person() -> Value {
    json!({"pk": 7, "email": EMAIL, "username": "ann"})
}

/// A password grant with forms alone, a refresh grant at the same path, errors by code, and who it is
/// elsewhere (`OAuth` servers; FastAPI's form).
pub fn form_token_endpoint() -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    let alive = Alive::default();
    move |request| {
        let form = request.form();
        let get = |name: &str| form.get(name).map_or("", String::as_str);
        let grant = || {
            Reply::json(
                200,
                json!({
                    "access_token": alive.issue("a"), "refresh_token": alive.issue("r"),
                    "token_type": "Bearer", "expires_in": 3600,
                }),
            )
        };
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/o/token/") if !form.contains_key("grant_type") => {
                Reply::json(400, json!({"error": "unsupported_grant_type"}))
            }
            ("POST", "/o/token/") if get("grant_type") == "password" => {
                match (get("username"), get("password")) {
                    (EMAIL, PASSWORD) => grant(),
                    _ => Reply::json(
                        400,
                        json!({
                        "error": "invalid_grant", "error_description": "Invalid credentials given."}),
                    ),
                }
            }
            ("POST", "/o/token/") => match alive.end(get("refresh_token")) {
                true => grant(),
                false => Reply::json(400, json!({"error": "invalid_grant"})),
            },
            ("POST", "/o/revoke_token/") => {
                // All that was issued is one session here.
                if alive.has(get("token")) {
                    alive.lock().clear();
                }
                Reply::empty(200)
            }
            ("GET", "/me") => match request
                .bearer("Bearer")
                .is_some_and(|token| alive.has(token))
            {
                true => Reply::json(200, person()),
                false => Reply::json(401, json!({"detail": "Unauthorized"})),
            },
            _ => Reply::missing(),
        }
    }
}

/// A session in two cookies, one of which signs the other (`cookie-session`); nothing in bodies.
pub fn cookie_pair() -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    let alive = Alive::default();
    move |request| {
        let session = request.cookie("session").unwrap_or_default();
        let signature = request.cookie("session.sig").unwrap_or_default();
        let is_alive = alive.has(&session) && signature == sign(&session);
        let set = |reply: Reply| {
            alive.end(&session);
            let next = alive.issue("s");
            reply
                .with(
                    "set-cookie",
                    format!("session={next}; Path=/; HttpOnly=true"),
                )
                .with(
                    "set-cookie",
                    format!("session.sig={}; path=/; httponly", sign(&next)),
                )
        };
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/api/login") => {
                let body = request.json();
                match (body["email"].as_str(), body["password"].as_str()) {
                    (Some(EMAIL), Some(PASSWORD)) => {
                        set(Reply::json(200, json!({"user": person()})))
                    }
                    (Some(_), Some(_)) => Reply::json(401, json!({"message": "wrong"})),
                    _ => Reply::json(400, json!({"message": "email and password are required"})),
                }
            }
            ("GET", "/api/me") if is_alive => set(Reply::json(200, json!({"user": person()}))),
            ("GET", "/api/me") => Reply::json(401, json!({"code": "NO_SESSION"})),
            ("POST", "/api/logout") if is_alive => {
                alive.end(&session);
                Reply::empty(204)
            }
            ("POST", "/api/logout") => Reply::json(401, json!({"code": "NO_SESSION"})),
            _ => Reply::missing(),
        }
    }
}

fn sign(value: &str) -> String {
    value.chars().rev().take(27).collect::<String>() + "="
}

/// One token that serves for all until it is given back, in a scheme of its own (`DRF` tokens).
pub fn single_token() -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    let alive = Alive::default();
    move |request| {
        let token = request.bearer("Token").unwrap_or_default().to_owned();
        let no = || {
            Reply::json(401, json!({"detail": "Invalid token."})).with("www-authenticate", "Token")
        };
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/auth/login/") => {
                let body = request.json();
                match (body["username"].as_str(), body["password"].as_str()) {
                    (Some(EMAIL), Some(PASSWORD)) => {
                        Reply::json(200, json!({"key": alive.issue("")}))
                    }
                    (Some(_), Some(_)) => Reply::json(
                        400,
                        json!({
                        "non_field_errors": ["Unable to log in with provided credentials."]}),
                    ),
                    _ => Reply::json(
                        400,
                        json!({
                        "username": ["This field is required."],
                        "password": ["This field is required."]}),
                    ),
                }
            }
            ("GET", "/auth/user/") if alive.has(&token) => Reply::json(200, person()),
            ("GET", "/auth/user/") => no(),
            ("POST", "/auth/logout/") if alive.end(&token) => {
                Reply::json(200, json!({"detail": "out"}))
            }
            // As django-allauth does, it ends the session and answers 401.
            ("POST", "/auth/logout/") => no(),
            _ => Reply::missing(),
        }
    }
}

/// An access token in a header of the answer, and a refresh token in another.
pub fn token_in_header() -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    let alive = Alive::default();
    move |request| {
        let grant = || {
            Reply::json(200, json!({"id": "u-7", "email": EMAIL}))
                .with("authorization", format!("Bearer {}", alive.issue("a")))
                .with("x-refresh-token", alive.issue("r"))
        };
        let body = request.json();
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/auth/login") => match (body["email"].as_str(), body["password"].as_str()) {
                (Some(EMAIL), Some(PASSWORD)) => grant(),
                (Some(_), Some(_)) => Reply {
                    status: 401,
                    headers: vec![("content-type".into(), "text/plain".into())],
                    body: "Unauthorized".into(),
                },
                _ => Reply::json(
                    422,
                    json!({"errors": [{"path": "email"}, {"path": "password"}]}),
                ),
            },
            ("POST", "/auth/refresh") => {
                let token = body["refreshToken"].as_str().unwrap_or_default();
                match alive.end(token) {
                    true => grant(),
                    false => Reply::json(401, json!({"message": "dead"})),
                }
            }
            ("POST", "/auth/logout") => {
                match request.bearer("Bearer").is_some_and(|t| alive.has(t)) {
                    true => {
                        alive.lock().clear();
                        Reply::empty(204)
                    }
                    false => Reply::json(401, json!({"message": "dead"})),
                }
            }
            _ => Reply::missing(),
        }
    }
}

/// `access` and `refresh` in the body, the access token once more at a refresh alone, a blacklist as the
/// sign-out (`simplejwt`).
pub fn access_and_refresh() -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    let alive = Alive::default();
    move |request| {
        let body = request.json();
        let refresh = body["refresh"].as_str().unwrap_or_default();
        let required = |name: &str| Reply::json(400, json!({name: ["This field is required."]}));
        let dead = || {
            Reply::json(
                401,
                json!({"detail": "Token is invalid", "code": "token_not_valid"}),
            )
        };
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/auth/jwt/create/") => {
                match (body["username"].as_str(), body["password"].as_str()) {
                    (Some(EMAIL), Some(PASSWORD)) => Reply::json(
                        200,
                        json!({"access": alive.issue("a"), "refresh": alive.issue("r")}),
                    ),
                    (Some(_), Some(_)) => Reply::json(
                        401,
                        json!({
                    "detail": "No active account found with the given credentials"}),
                    ),
                    _ => Reply::json(
                        400,
                        json!({
                    "username": ["This field is required."], "password": ["This field is required."]}),
                    ),
                }
            }
            ("POST", "/auth/jwt/refresh/") if refresh.is_empty() => required("refresh"),
            ("POST", "/auth/jwt/refresh/") if alive.has(refresh) => {
                Reply::json(200, json!({"access": alive.issue("a")}))
            }
            ("POST", "/auth/jwt/refresh/") => dead(),
            ("POST", "/auth/token/blacklist/") if refresh.is_empty() => required("refresh"),
            ("POST", "/auth/token/blacklist/") if alive.end(refresh) => Reply::json(200, json!({})),
            ("POST", "/auth/token/blacklist/") => dead(),
            ("GET", "/auth/users/me/") => {
                match request.bearer("Bearer").is_some_and(|t| alive.has(t)) {
                    true => Reply::json(200, person()),
                    false => dead(),
                }
            }
            _ => Reply::missing(),
        }
    }
}

/// A JWT and an opaque token that renews it, in an envelope; refusals do not say what they miss
/// (`directus`). Beside them stands another long text, which renews nothing.
pub fn jwt_and_opaque() -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    let alive = Alive::default();
    move |request| {
        let body = request.json();
        let refresh = body["refresh_token"].as_str().unwrap_or_default();
        let grant = || {
            let access = jwt(&json!({"id": "u-7", "jti": alive.issue("j")}));
            alive.lock().insert(access.clone());
            let tokens = json!({
                "request": "nobody0needs0this0text",
                "access_token": access,
                "refresh_token": alive.issue("r"),
                "expires": 900_000,
            });
            Reply::json(200, json!({"data": tokens}))
        };
        let no = |status, words: &str| Reply::json(status, json!({"errors": [{"message": words}]}));
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/auth/login") => match (body["email"].as_str(), body["password"].as_str()) {
                (Some(EMAIL), Some(PASSWORD)) => grant(),
                (Some(_), Some(_)) => no(401, "Invalid user credentials."),
                _ => no(
                    400,
                    "Invalid payload. \"email\" and \"password\" are required.",
                ),
            },
            ("POST", "/auth/refresh" | "/auth/logout") if refresh.is_empty() => {
                no(400, "The token is required in the payload or in a cookie.")
            }
            ("POST", "/auth/refresh") if alive.end(refresh) => grant(),
            ("POST", "/auth/logout") if alive.end(refresh) => Reply::empty(204),
            ("POST", "/auth/refresh" | "/auth/logout") => no(401, "Invalid user credentials."),
            ("GET", "/users/me") => match request.bearer("Bearer").is_some_and(|t| alive.has(t)) {
                true => Reply::json(200, json!({"data": person()})),
                false => no(401, "Invalid user credentials."),
            },
            _ => Reply::missing(),
        }
    }
}

/// A token that says these claims. Nobody checks its signature here.
fn jwt(claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({"alg": "HS256", "typ": "JWT"});
    format!("{}.{}.c2lnbmVk", part(&header), part(claims))
}

/// One token that nobody can end, and a sign-out that does nothing, or none at all.
pub fn stateless(has_sign_out: bool) -> impl Fn(&Request) -> Reply + Send + Sync + 'static {
    let alive = Alive::default();
    move |request| {
        let body = request.json();
        let token = request.bearer("Bearer").unwrap_or_default();
        let no = || {
            Reply::json(
                401,
                json!({"error": {"status": 401, "name": "UnauthorizedError"}}),
            )
        };
        match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/api/auth/local") => {
                match (body["identifier"].as_str(), body["password"].as_str()) {
                    (Some(EMAIL), Some(PASSWORD)) => {
                        Reply::json(200, json!({"jwt": alive.issue("j"), "user": person()}))
                    }
                    (Some(_), Some(_)) => Reply::json(
                        400,
                        json!({"data": null, "error": {
                    "status": 400, "name": "ValidationError",
                    "message": "Invalid identifier or password", "details": {}}}),
                    ),
                    _ => Reply::json(
                        400,
                        json!({"data": null, "error": {
                    "status": 400, "name": "ValidationError", "message": "2 errors occurred",
                    "details": {"errors": [{"path": ["identifier"], "message": "x"},
                        {"path": ["password"], "message": "x"}]}}}),
                    ),
                }
            }
            ("GET", "/api/users/me") if alive.has(token) => Reply::json(200, person()),
            ("GET", "/api/users/me") => no(),
            ("POST", "/api/auth/logout") if has_sign_out => Reply::json(200, json!({"ok": true})),
            _ => Reply::missing(),
        }
    }
}
