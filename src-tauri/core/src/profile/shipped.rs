//! The profiles that ship, each a file of data.

/// A profile by name.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// Its name, for `extends`.
    pub name: &'static str,
    /// The text of its file.
    pub text: &'static str,
    /// The shipped profile over which it lies, if any.
    pub over: Option<&'static str>,
}

/// A shipped profile, whose file has its name.
macro_rules! shipped {
    ($name:literal $(over $below:literal)?) => {
        Shipped {
            name: $name,
            text: include_str!(concat!("../../profiles/", $name, ".toml")),
            over: [$(Some($below),)? None][0],
        }
    };
}

/// All shipped profiles. The first is what a profile extends by default.
pub const SHIPPED: [Shipped; 15] = [
    shipped!("contract"),
    shipped!("node-express-boilerplate"),
    shipped!("directus"),
    shipped!("better-auth"),
    shipped!("supabase"),
    shipped!("dj-rest-auth"),
    shipped!("djoser"),
    shipped!("strapi"),
    shipped!("strapi-sessions"),
    shipped!("parse"),
    shipped!("feathers"),
    shipped!("django-oauth-toolkit"),
    shipped!("fastapi-users"),
    shipped!("oidc"),
    shipped!("better-auth-desktop" over "better-auth"),
];

#[cfg(any(test, feature = "testing"))]
impl Shipped {
    /// What an adopter writes to use it: its name, and what it leaves to be filled in.
    pub fn example(&self) -> serde_json::Value {
        let mut example = serde_json::json!({"extends": self.name, "backend": "https://a.example"});
        match self.name {
            "oidc" => {
                example["browser"] =
                    serde_json::json!({"issuer": "https://identity.example", "client_id": "app"});
            }
            "better-auth-desktop" => {
                example["browser"] = serde_json::json!({"page": "https://a.example/sign-in"});
            }
            _ => {}
        }
        example
    }
}
