//! The backends, as data: how each is started, who can sign in there, and what is expected of it.

use serde_json::Value;
use vestibule_core::ErrorCode;

use crate::sections;

/// A server of another project, and what is known of it.
#[derive(Debug)]
pub struct Backend {
    /// Its name in the table, and as an argument.
    pub name: &'static str,
    /// Its folder in this crate.
    pub folder: &'static str,
    /// What runs it.
    pub runtime: Runtime,
    /// The package whose version is printed.
    pub package: &'static str,
    /// What its program finds in its environment besides the port and the folder for its data.
    pub environment: &'static [(&'static str, &'static str)],
    /// The end of its base address.
    pub path: &'static str,
    /// The shipped profile, or `nothing`.
    pub profile: &'static str,
    /// The section `browser` for the server's address, where people sign in by the browser.
    pub by_browser: Option<fn(&str) -> Value>,
    /// What pages may call in the further steps.
    pub calls: &'static [&'static str],
    /// Who signs in.
    pub email: &'static str,
    /// The name or address that is shown of them.
    pub shown: &'static str,
    /// What a registration comes to.
    pub registers: Registers,
    /// Whether each refresh replaces the token.
    pub rotates: bool,
    /// Whether a replaced token that comes again ends the whole session.
    pub reuse_ends: bool,
    /// Whether a sign-out is sent.
    pub signs_out: bool,
    /// Whether the token is refused after a sign-out. A token that is only checked by its signature
    /// stays valid.
    pub ends_token: bool,
}

/// What runs a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runtime {
    /// Node.js, with this program.
    Node(&'static str),
    /// Python, with `server.py`.
    Python,
}

/// What a registration comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registers {
    /// There is no such endpoint.
    Nowhere,
    /// The new account is signed in; the errors are those for a taken e-mail and for a weak
    /// password, where it is refused.
    SignedIn {
        taken: ErrorCode,
        weak: Option<ErrorCode>,
    },
    /// The account is made, and the user signs in next.
    Accepted {
        taken: ErrorCode,
        weak: Option<ErrorCode>,
    },
    /// Whether the account is new is not said.
    Silently,
}

/// The account that each server makes at its first start.
pub const ANN: &str = "ann@example.com";
/// Its password, and that of accounts that are registered.
pub const PASSWORD: &str = "correct-horse";
/// The account that is registered.
pub const BOB: &str = "bob@example.com";

const TAKEN: ErrorCode = ErrorCode::EmailTaken;
const WEAK: Option<ErrorCode> = Some(ErrorCode::InvalidInput);

/// What most have in common.
const USUAL: Backend = Backend {
    name: "",
    folder: "",
    runtime: Runtime::Node("server.js"),
    package: "",
    environment: &[],
    path: "",
    profile: "",
    by_browser: None,
    calls: &[],
    email: ANN,
    shown: ANN,
    registers: Registers::SignedIn {
        taken: TAKEN,
        weak: WEAK,
    },
    rotates: true,
    reuse_ends: false,
    signs_out: true,
    ends_token: true,
};

/// What those have in common at which people sign in by the browser alone.
const BY_BROWSER: Backend = Backend {
    profile: "oidc",
    shown: "Ann",
    registers: Registers::Nowhere,
    ..USUAL
};

/// Every backend.
pub const BACKENDS: [Backend; 16] = [
    Backend {
        name: "better-auth",
        folder: "better-auth",
        package: "better-auth",
        profile: "better-auth",
        calls: &[crate::second_factors::ENABLE],
        // Nobody is there at its first start.
        email: BOB,
        shown: "Bob",
        rotates: false,
        ..USUAL
    },
    Backend {
        name: "directus",
        folder: "directus",
        package: "directus",
        profile: "directus",
        calls: &[crate::directus::GENERATE, crate::directus::ENABLE],
        email: crate::directus::ADMIN,
        shown: "Admin User",
        registers: Registers::Silently,
        ..USUAL
    },
    Backend {
        name: "dj-rest-auth",
        folder: "dj-rest-auth",
        runtime: Runtime::Python,
        package: "dj-rest-auth",
        profile: "dj-rest-auth",
        shown: "Ann",
        ..USUAL
    },
    Backend {
        name: "djoser",
        folder: "djoser",
        runtime: Runtime::Python,
        package: "djoser",
        profile: "djoser",
        registers: Registers::Accepted {
            taken: TAKEN,
            weak: WEAK,
        },
        ..USUAL
    },
    Backend {
        name: "django-oauth-toolkit",
        folder: "django-oauth-toolkit",
        runtime: Runtime::Python,
        package: "django-oauth-toolkit",
        profile: "django-oauth-toolkit",
        registers: Registers::Nowhere,
        ..USUAL
    },
    Backend {
        name: "fastapi-users",
        folder: "fastapi-users",
        runtime: Runtime::Python,
        package: "fastapi-users",
        profile: "fastapi-users",
        registers: Registers::Accepted {
            taken: TAKEN,
            weak: WEAK,
        },
        rotates: false,
        ends_token: false,
        ..USUAL
    },
    Backend {
        name: "strapi",
        folder: "strapi",
        runtime: Runtime::Node("server.mjs"),
        package: "@strapi/strapi",
        profile: "strapi",
        rotates: false,
        signs_out: false,
        ends_token: false,
        ..USUAL
    },
    Backend {
        name: "strapi-sessions",
        folder: "strapi",
        runtime: Runtime::Node("server.mjs"),
        package: "@strapi/strapi",
        environment: &[("SESSIONS", "1")],
        profile: "strapi-sessions",
        ..USUAL
    },
    Backend {
        name: "parse",
        folder: "parse",
        package: "parse-server",
        path: "/parse",
        profile: "parse",
        rotates: false,
        ..USUAL
    },
    Backend {
        name: "feathers",
        folder: "feathers",
        package: "@feathersjs/feathers",
        profile: "feathers",
        shown: "Ann",
        // It has no rules for passwords, and on SQLite says 500 to a taken e-mail.
        registers: Registers::Accepted {
            taken: ErrorCode::BackendFault,
            weak: None,
        },
        rotates: false,
        ends_token: false,
        ..USUAL
    },
    Backend {
        name: "oidc-provider",
        folder: "oidc-provider",
        package: "oidc-provider",
        by_browser: Some(sections::oidc_provider),
        reuse_ends: true,
        ..BY_BROWSER
    },
    Backend {
        name: "better-auth-desktop",
        folder: "better-auth-desktop",
        package: "@better-auth/electron",
        profile: "better-auth-desktop",
        by_browser: Some(sections::better_auth_page),
        registers: USUAL.registers,
        rotates: false,
        ..BY_BROWSER
    },
    Backend {
        name: "better-auth-generic-oauth",
        folder: "better-auth-desktop",
        package: "@better-auth/electron",
        profile: "better-auth-desktop",
        by_browser: Some(sections::better_auth_provider),
        // The person whom the other provider knows.
        email: "carl@example.com",
        shown: "Carl",
        registers: USUAL.registers,
        rotates: false,
        ..BY_BROWSER
    },
    Backend {
        name: "better-auth-issuer",
        folder: "better-auth-desktop",
        package: "@better-auth/oauth-provider",
        by_browser: Some(sections::better_auth_issuer),
        reuse_ends: true,
        ..BY_BROWSER
    },
    Backend {
        name: "django-oauth-toolkit-oidc",
        folder: "django-oauth-toolkit",
        runtime: Runtime::Python,
        package: "django-oauth-toolkit",
        environment: &[("CLAIMS", "1")],
        by_browser: Some(sections::django_oidc),
        ..BY_BROWSER
    },
    Backend {
        name: "django-oauth-toolkit-oauth2",
        folder: "django-oauth-toolkit",
        runtime: Runtime::Python,
        package: "django-oauth-toolkit",
        environment: &[("CLAIMS", "1")],
        profile: "nothing",
        by_browser: Some(sections::django_oauth2),
        ..BY_BROWSER
    },
];
