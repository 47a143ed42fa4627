//! The profiles that ship, each a file of data.

/// A profile by name.
#[derive(Clone, Copy, Debug)]
pub struct Shipped {
    /// What `extends` calls it.
    pub name: &'static str,
    /// The file.
    pub text: &'static str,
}

/// All of them; the first is what a profile extends unless it says otherwise.
pub const SHIPPED: [Shipped; 5] = [
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
];
