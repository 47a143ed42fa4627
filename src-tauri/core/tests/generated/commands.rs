//! The functions by which the page calls the plugin's commands, and the groups of permissions.

use std::collections::BTreeSet;

use ts_rs::{Config, TS};
use vestibule_core::wire::*;

use crate::command_list::command_list;
use crate::{keep, root, wire};

/// The channel of the page by which a command sends it values.
#[derive(TS)]
pub struct Channel<T> {
    _values: T,
}

/// Bytes, as a page has them.
#[derive(TS)]
pub struct ArrayBuffer;

struct Group {
    name: &'static str,
    about: String,
    commands: Vec<Command>,
}

struct Command {
    name: &'static str,
    /// Names and TypeScript types; none where it takes bytes.
    arguments: Option<Vec<(&'static str, String)>>,
    answer: String,
}

fn type_name<T: TS>() -> String {
    T::name(&Config::default())
}

macro_rules! groups_of {
    (@arguments (raw)) => { None };
    (@arguments ($($name:ident: $type:ty),*)) => {
        Some(vec![$((stringify!($name), type_name::<$type>())),*])
    };
    (@answer) => { type_name::<()>() };
    (@answer $answer:ty) => { type_name::<$answer>() };
    ($($(#[doc = $about:literal])* $group:ident {
        $($name:ident $arguments:tt $(-> $answer:ty)?;)*
    })*) => {
        [$(Group {
            name: stringify!($group),
            about: [$($about),*].concat().trim().to_owned(),
            commands: vec![$(Command {
                name: stringify!($name),
                arguments: groups_of!(@arguments $arguments),
                answer: groups_of!(@answer $($answer)?),
            }),*],
        }),*]
    };
}

fn groups() -> impl Iterator<Item = Group> {
    command_list!(each with groups_of()).into_iter()
}

/// `verify_otp` as `verifyOtp`.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |all, word| {
        let (initial, rest) = word.split_at(1);
        all + &initial.to_uppercase() + rest
    })
}

impl Command {
    /// The member of `commands` that calls it.
    fn member(&self) -> String {
        let Self { name, answer, .. } = self;
        let (parameters, call) = match &self.arguments {
            None => (
                "bytes: Uint8Array, headers: Record<string, string>".to_owned(),
                format!("callRaw<{answer}>(\"{name}\", bytes, headers)"),
            ),
            Some(list) if list.is_empty() => (String::new(), format!("call<{answer}>(\"{name}\")")),
            Some(list) => {
                // Tauri gives a command its argument `old_password` by the name `oldPassword`.
                let names: Vec<_> = list.iter().map(|(name, _)| camel(name)).collect();
                let names = names.join(", ");
                let parameters: Vec<_> = list.iter().map(parameter).collect();
                let call = format!("call<{answer}>(\"{name}\", {{ {names} }})");
                (parameters.join(", "), call)
            }
        };
        format!("  {}: ({parameters}) => {call},\n", camel(name))
    }

    /// The types of `wire.ts` in its signature, if `declared` are all of them.
    fn types<'a>(&'a self, declared: &'a BTreeSet<String>) -> impl Iterator<Item = &'a str> {
        let arguments = self.arguments.iter().flatten().map(|(_, name)| name);
        let names = arguments.chain([&self.answer]);
        let words = names.flat_map(|name| name.split(|c: char| !c.is_alphanumeric()));
        words.filter(|word| declared.contains(*word))
    }
}

/// An argument that may be left out has a question mark.
fn parameter((name, type_name): &(&str, String)) -> String {
    let name = camel(name);
    match type_name.strip_suffix(" | null") {
        Some(inner) => format!("{name}?: {inner}"),
        None => format!("{name}: {type_name}"),
    }
}

fn functions() -> String {
    let all: Vec<Command> = groups().flat_map(|group| group.commands).collect();
    let declared = wire::declared();
    let types = all.iter().flat_map(|command| command.types(&declared));
    let types: BTreeSet<&str> = types.collect();
    let types: String = types.iter().map(|name| format!("  {name},\n")).collect();
    let members: String = all.iter().map(Command::member).collect();
    format!(
        "// Generated from src-tauri/plugin/src/command_list.rs by `cargo xtask types`. Do not edit.\n\n\
         import {{ type Channel, call, callRaw }} from \"./ipc.ts\";\n\
         import type {{\n{types}}} from \"./wire.ts\";\n\n\
         /** All commands of the plugin, with their arguments and what they answer. */\n\
         export const commands = {{\n{members}}};\n"
    )
}

/// The sets of permissions, one for each group.
fn permissions() -> String {
    let mut text = String::from(
        "# Generated from src/command_list.rs by `cargo xtask types`. Do not edit.\n\n\
         \"$schema\" = \"schemas/schema.json\"\n",
    );
    for Group {
        name,
        about,
        commands,
    } in groups()
    {
        let allowed =
            |command: &Command| format!("  \"allow-{}\",\n", command.name.replace('_', "-"));
        let allowed: String = commands.iter().map(allowed).collect();
        text.push_str(&format!(
            "\n[[set]]\nidentifier = \"{}\"\ndescription = {about:?}\npermissions = [\n{allowed}]\n",
            name.replace('_', "-")
        ));
    }
    text
}

#[test]
fn names_are_those_that_tauri_expects() {
    let command = Command {
        name: "change_password",
        arguments: Some(vec![
            ("old_password", type_name::<String>()),
            ("sign_out_others", type_name::<Option<bool>>()),
        ]),
        answer: type_name::<Vec<Theme>>(),
    };
    assert_eq!(
        command.member(),
        "  changePassword: (oldPassword: string, signOutOthers?: boolean) => \
         call<Array<Theme>>(\"change_password\", { oldPassword, signOutOthers }),\n"
    );
    let declared = wire::declared();
    assert_eq!(command.types(&declared).collect::<Vec<_>>(), ["Theme"]);
}

/// `vestibule:default` is all groups.
#[test]
fn every_group_is_in_the_default() {
    let path = root().join("src-tauri/plugin/permissions/default.toml");
    let text = std::fs::read_to_string(path).expect("the default");
    for group in groups() {
        let name = group.name.replace('_', "-");
        assert!(text.contains(&format!("\"{name}\"")), "{name} is missing");
    }
}

#[test]
fn command_functions() {
    keep(
        "frontend/vestibule/src/ipc/commands.ts",
        &functions(),
        "command_list.rs",
    );
}

#[test]
fn command_permissions() {
    keep(
        "src-tauri/plugin/permissions/groups.toml",
        &permissions(),
        "command_list.rs",
    );
}
