//! For each server: the options that the doctor gets, and the names that the renaming proxy gives out.

use super::renaming::Renaming;

/// A server as the doctor meets it.
#[derive(Debug)]
pub struct Case {
    /// The backend's name.
    pub name: &'static str,
    /// The options of the doctor, beside the address and the account, at the server itself.
    pub told: &'static [&'static str],
    /// The same behind the renaming proxy.
    pub told_renamed: &'static [&'static str],
    /// The other names.
    pub renaming: Renaming,
}

/// Where each server signs in once its paths are renamed: no list of common paths has it.
const ENTER: &str = "/g/enter";

/// Every server.
pub const CASES: [Case; 10] = [
    Case {
        name: "better-auth",
        told: &[],
        told_renamed: &[
            "--login-path",
            ENTER,
            "--login-body",
            r#"{"mm5":"$identifier","password":"$password"}"#,
        ],
        renaming: Renaming {
            paths: &[
                ("/api/auth/sign-in/email", ENTER),
                ("/api/auth/get-session", "/g/session"),
                ("/api/auth/sign-out", "/g/sign-out"),
            ],
            members: &[
                ("token", "mm2"),
                ("user", "mm3"),
                ("id", "mm4"),
                ("email", "mm5"),
            ],
            cookies: &[("better-auth.session_token", "kk")],
        },
    },
    Case {
        name: "directus",
        told: &[],
        told_renamed: &["--login-path", ENTER],
        renaming: Renaming {
            paths: &[
                ("/auth/login", ENTER),
                ("/auth/refresh", "/g/renew"),
                ("/auth/logout", "/g/sign-out"),
                ("/users/me", "/g/whoami"),
            ],
            members: &[
                ("data", "mm1"),
                ("access_token", "mm2"),
                ("refresh_token", "mm3"),
                ("id", "mm4"),
                ("email", "mm5"),
                ("expires", "mm6"),
            ],
            cookies: &[],
        },
    },
    Case {
        name: "dj-rest-auth",
        told: &[],
        told_renamed: &["--login-path", ENTER],
        renaming: Renaming {
            paths: &[
                ("/auth/login/", ENTER),
                ("/auth/token/refresh/", "/g/renew"),
                ("/auth/user/", "/g/whoami"),
                ("/auth/logout/", "/g/logout"),
            ],
            members: &[
                ("username", "mm1"),
                ("access", "mm2"),
                ("refresh", "mm3"),
                ("pk", "mm4"),
                ("email", "mm5"),
                ("user", "mm6"),
                ("key", "mm7"),
            ],
            cookies: &[],
        },
    },
    Case {
        name: "djoser",
        told: &[],
        told_renamed: &["--login-path", ENTER],
        renaming: Renaming {
            paths: &[
                ("/auth/jwt/create/", ENTER),
                ("/auth/jwt/refresh/", "/g/renew"),
                ("/auth/users/me/", "/g/whoami"),
                ("/auth/jwt/blacklist/", "/g/logout"),
            ],
            members: &[
                ("username", "mm1"),
                ("access", "mm2"),
                ("refresh", "mm3"),
                ("id", "mm4"),
                ("email", "mm5"),
            ],
            cookies: &[],
        },
    },
    Case {
        name: "django-oauth-toolkit",
        told: &[
            "--login-body",
            "grant_type=password&username=$identifier&password=$password&client_id=vestibule-desktop",
        ],
        told_renamed: &[
            "--login-path",
            ENTER,
            "--login-body",
            "grant_type=password&username=$identifier&password=$password&client_id=vestibule-desktop\
             &scope=openid",
        ],
        renaming: Renaming {
            paths: &[
                ("/o/token/", ENTER),
                ("/o/userinfo/", "/g/userinfo"),
                ("/o/revoke_token/", "/g/revoke"),
            ],
            members: &[
                ("access_token", "mm2"),
                ("refresh_token", "mm3"),
                ("expires_in", "mm5"),
            ],
            cookies: &[],
        },
    },
    Case {
        name: "fastapi-users",
        told: &[],
        told_renamed: &["--login-path", ENTER],
        renaming: Renaming {
            paths: &[
                ("/auth/jwt/login", ENTER),
                ("/users/me", "/g/me"),
                ("/auth/jwt/logout", "/g/logout"),
            ],
            members: &[("access_token", "mm2"), ("id", "mm4"), ("email", "mm5")],
            cookies: &[],
        },
    },
    Case {
        name: "strapi",
        told: &[],
        told_renamed: &["--login-path", ENTER],
        renaming: Renaming {
            paths: &[("/api/auth/local", ENTER), ("/api/users/me", "/g/me")],
            members: STRAPI,
            cookies: &[],
        },
    },
    Case {
        name: "strapi-sessions",
        told: &[],
        told_renamed: &["--login-path", ENTER],
        renaming: Renaming {
            paths: &[
                ("/api/auth/local", ENTER),
                ("/api/auth/refresh", "/g/renew"),
                ("/api/auth/logout", "/g/logout"),
                ("/api/users/me", "/g/me"),
            ],
            members: STRAPI,
            cookies: &[],
        },
    },
    Case {
        name: "parse",
        told: &["--header", PARSE_APPLICATION],
        told_renamed: &["--login-path", ENTER, "--header", PARSE_APPLICATION],
        renaming: Renaming {
            paths: &[
                ("/parse/login", ENTER),
                ("/parse/users/me", "/g/me"),
                ("/parse/logout", "/g/logout"),
            ],
            members: &[
                ("sessionToken", "mm2"),
                ("objectId", "mm4"),
                ("email", "mm5"),
            ],
            cookies: &[],
        },
    },
    Case {
        name: "feathers",
        told: &[],
        told_renamed: &[
            "--login-path",
            ENTER,
            "--login-body",
            r#"{"strategy":"local","mm5":"$identifier","password":"$password"}"#,
        ],
        renaming: Renaming {
            paths: &[("/authentication", ENTER)],
            members: &[
                ("accessToken", "mm2"),
                ("user", "mm3"),
                ("id", "mm4"),
                ("email", "mm5"),
            ],
            cookies: &[],
        },
    },
];

const PARSE_APPLICATION: &str = "X-Parse-Application-Id: vestibule";

const STRAPI: &[(&str, &str)] = &[
    ("jwt", "mm2"),
    ("user", "mm3"),
    ("id", "mm4"),
    ("email", "mm5"),
    ("documentId", "mm6"),
    ("identifier", "mm7"),
    ("refreshToken", "mm8"),
];

/// The case of a backend.
pub fn of(name: &str) -> &'static Case {
    let found = CASES.iter().find(|case| case.name == name);
    found.unwrap_or_else(|| panic!("there is no case for {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backends::BACKENDS;

    #[test]
    fn there_is_a_case_for_every_backend() {
        let by_password = BACKENDS.iter().filter(|it| it.by_browser.is_none());
        let names: Vec<_> = by_password.map(|backend| backend.name).collect();
        assert_eq!(CASES.map(|case| case.name).to_vec(), names);
    }

    #[test]
    fn no_name_stands_twice_in_a_renaming() {
        for case in CASES {
            let Renaming {
                paths,
                members,
                cookies,
            } = case.renaming;
            for pairs in [paths, members, cookies] {
                let mut all: Vec<_> = pairs.iter().flat_map(|(a, b)| [a, b]).collect();
                all.sort_unstable();
                let count = all.len();
                all.dedup();
                assert_eq!(all.len(), count, "{}: {pairs:?}", case.name);
            }
        }
    }
}
