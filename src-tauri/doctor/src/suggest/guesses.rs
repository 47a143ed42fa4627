//! What backends commonly call things: paths, members, headers. Hints only: a path counts once the
//! backend answers there, and a member once the sign-in works with it.

/// Where backends commonly sign people in, below the base address: the most common first. They are
/// tried batch by batch, and no further batch is once one has an answer that asks for credentials,
/// because a backend may limit how often it is asked.
pub(super) const SIGN_IN_PATHS: &[&[&str]] = &[
    &[
        "/login",
        "/auth/login",
        "/api/auth/login",
        "/api/login",
        "/auth/jwt/login",
        "/auth/local",
        "/api/auth/local",
        "/authentication",
        "/signin",
        "/sign-in",
        "/auth/signin",
        "/api/auth/signin",
        "/sign-in/email",
        "/api/auth/sign-in/email",
        "/token",
        "/auth/token",
        "/o/token/",
        "/oauth/token",
        "/login/",
        "/auth/login/",
        "/api/auth/login/",
        "/auth/jwt/create/",
        "/auth/token/login/",
        "/dj-rest-auth/login/",
    ],
    &[
        "/v1/auth/login",
        "/api/v1/auth/login",
        "/v1/login",
        "/api/v1/login",
        "/api/v1/login/access-token",
        "/login/access-token",
        "/api/token/",
        "/token/",
        "/api/token",
        "/oauth2/token",
        "/connect/token",
        "/users/login",
        "/api/users/login",
        "/user/login",
        "/account/login",
        "/accounts/login/",
        "/api/account/login",
        "/users/sign_in",
        "/auth/sign-in",
        "/auth/sign-in/email",
        "/api/auth/token/login/",
        "/api/auth/jwt/create/",
        "/api/login/",
    ],
    &[
        "/auth",
        "/api/auth",
        "/authenticate",
        "/api/authenticate",
        "/api/authentication",
        "/session",
        "/sessions",
        "/api/session",
        "/api/sessions",
        "/identity/login",
        "/api/signin",
        "/api/sign-in",
        "/jwt/create/",
        "/rest-auth/login/",
        "/parse/login",
        "/rest/login",
        "/account/signin",
        "/auth/password/login",
        "/auth/email/login",
        "/api/v1/signin",
        "/api/v1/auth/signin",
        "/api/v1/token",
        "/api/v1/sessions",
    ],
];

/// Where backends commonly describe themselves.
pub(super) const DOCUMENTS: &[&str] = &[
    "/openapi.json",
    "/swagger.json",
    "/api/openapi.json",
    "/api/v1/openapi.json",
    "/v1/openapi.json",
    "/api-docs",
    "/api/docs-json",
    "/api-json",
    "/v3/api-docs",
    "/swagger/v1/swagger.json",
    "/docs/openapi.json",
    "/schema/?format=json",
    "/api/schema/?format=json",
    "/.well-known/openid-configuration",
    "/.well-known/oauth-authorization-server",
    "/o/.well-known/openid-configuration",
    "/",
    "/login",
    "/signin",
    "/auth/login",
];

/// How the last part of a sibling's path is commonly written.
pub(super) const REFRESH_NAMES: &[&str] = &[
    "refresh",
    "refresh-token",
    "refresh_token",
    "refreshToken",
    "token/refresh",
    "refresh/",
    "token/refresh/",
    "jwt/refresh/",
    "jwt/refresh",
    "renew",
    "rotate",
    "refresh-tokens",
    "session/refresh",
];

pub(super) const ME_NAMES: &[&str] = &[
    "me",
    "users/me",
    "user",
    "user/",
    "me/",
    "users/me/",
    "get-session",
    "session",
    "profile",
    "whoami",
    "userinfo",
    "userinfo/",
    "account",
    "current-user",
    "current_user",
    "user/me",
    "auth/me",
    "auth/user",
];

pub(super) const SIGN_OUT_NAMES: &[&str] = &[
    "logout",
    "signout",
    "sign-out",
    "log-out",
    "sign_out",
    "logout/",
    "token/logout/",
    "token/logout",
    "token/blacklist/",
    "jwt/logout",
    "jwt/blacklist/",
    "token/blacklist",
    "blacklist",
    "revoke",
    "revoke_token/",
    "revoke-token",
    "session",
];

/// The kind of thing that a member of a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    Identifier,
    Password,
    /// The whole device, as the contract has it.
    Device,
    DeviceId,
    RefreshToken,
    AccessToken,
}

/// What a member of this name is commonly for.
pub(super) fn use_of(name: &str) -> Option<Use> {
    let name = plain(name);
    let is = |words: &[&str]| words.contains(&name.as_str());
    Some(match () {
        () if is(&["password", "passwd", "pass", "pwd", "secret", "passphrase"]) => Use::Password,
        () if is(&[
            "email",
            "mail",
            "emailaddress",
            "username",
            "user",
            "login",
            "identifier",
            "identity",
            "loginid",
            "userid",
            "useroremail",
            "usernameoremail",
            "emailorusername",
            "account",
            "handle",
        ]) =>
        {
            Use::Identifier
        }
        () if is(&["fingerprint", "device"]) => Use::Device,
        () if is(&["deviceid", "deviceuuid", "clientuuid", "installationid"]) => Use::DeviceId,
        () if is(&["refreshtoken", "refresh", "refreshjwt"]) => Use::RefreshToken,
        () if is(&["token", "accesstoken", "sessiontoken", "jwt"]) => Use::AccessToken,
        () => return None,
    })
}

/// A member whose value is always the same, where a backend asks for it by name.
pub(super) fn constant_of(name: &str) -> Option<&'static str> {
    Some(match plain(name).as_str() {
        "granttype" => "password",
        "strategy" => "local",
        "mode" => "json",
        _ => return None,
    })
}

/// The members of a sign-in that says nothing about them, the most common first.
pub(super) const IDENTIFIERS: &[&str] = &["email", "username", "identifier", "login"];

/// Small letters without signs, by which names are compared.
pub(super) fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// What a refusal says where it is about the account or what was typed.
pub(super) const REFUSAL_WORDS: &[&str] = &[
    "credential",
    "password",
    "incorrect",
    "invalid_grant",
    "invalid username",
    "invalid email",
    "invalid login",
    "unable to log in",
    "wrong",
    "not match",
    "no active account",
    "user not found",
    "unauthorized",
];

/// What a refusal says that wants another form of body.
pub(super) const FORM_WORDS: &[&str] = &[
    "x-www-form-urlencoded",
    "form-urlencoded",
    "unsupported_grant_type",
    "form data",
    "formdata",
];

/// What a refusal says that does not take a member.
pub(super) const UNWANTED_WORDS: &[&str] = &[
    "not allowed",
    "unknown",
    "unexpected",
    "extra",
    "should not exist",
    "must not",
    "unrecognized",
    "additional propert",
    "not permitted",
];

/// Whether a text has one of these words, in letters of any case.
pub(super) fn says(text: &str, words: &[&str]) -> bool {
    let text = text.to_lowercase();
    words.iter().any(|word| text.contains(word))
}
