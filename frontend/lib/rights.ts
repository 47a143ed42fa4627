// Generated from `plugins.vestibule.roles` in tauri.conf.json by `cargo xtask types`. Do not edit.

/** What a role may let someone do in this app. */
export type Right = "people.export" | "people.see";
