//! The profiles that ship, each a file of data.

/// A profile by name.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// Its name, for `extends`.
    pub name: &'static str,
    /// The text of its file.
    pub text: &'static str,
}

/// All shipped profiles. The first is what a profile extends by default.
pub const SHIPPED: [Shipped; 13] = [
    Shipped {
        name: "contract",
        text: include_str!("../../profiles/contract.toml"),
    },
    Shipped {
        name: "node-express-boilerplate",
        text: include_str!("../../profiles/node-express-boilerplate.toml"),
    },
    Shipped {
        name: "directus",
        text: include_str!("../../profiles/directus.toml"),
    },
    Shipped {
        name: "better-auth",
        text: include_str!("../../profiles/better-auth.toml"),
    },
    Shipped {
        name: "supabase",
        text: include_str!("../../profiles/supabase.toml"),
    },
    Shipped {
        name: "dj-rest-auth",
        text: include_str!("../../profiles/dj-rest-auth.toml"),
    },
    Shipped {
        name: "djoser",
        text: include_str!("../../profiles/djoser.toml"),
    },
    Shipped {
        name: "strapi",
        text: include_str!("../../profiles/strapi.toml"),
    },
    Shipped {
        name: "strapi-sessions",
        text: include_str!("../../profiles/strapi-sessions.toml"),
    },
    Shipped {
        name: "parse",
        text: include_str!("../../profiles/parse.toml"),
    },
    Shipped {
        name: "feathers",
        text: include_str!("../../profiles/feathers.toml"),
    },
    Shipped {
        name: "django-oauth-toolkit",
        text: include_str!("../../profiles/django-oauth-toolkit.toml"),
    },
    Shipped {
        name: "fastapi-users",
        text: include_str!("../../profiles/fastapi-users.toml"),
    },
];
