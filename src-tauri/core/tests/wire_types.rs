//! The TypeScript twin of `vestibule_core::wire` and the names of the app's rights and commands are
//! generated and committed. This test checks that they are current; `cargo xtask types` writes them.

#[path = "../../plugin/src/command_list.rs"]
mod command_list;

use std::path::{Path, PathBuf};

use command_list::command_list;
use ts_rs::{Config, TS};
use vestibule_core::testing::api_failure;
use vestibule_core::wire::*;
use vestibule_core::{
    AuthError, ErrorCode, Obstacle, ObstacleText, PageCode, PageError, Responsible, Roles,
};

fn declarations() -> String {
    let config = Config::default();
    let mut text = String::from(
        "// Generated from src-tauri/core/src/wire.rs by `cargo xtask types`. Do not edit.\n",
    );
    let mut add = |docs: Option<String>, declaration: String| {
        text.push('\n');
        if let Some(docs) = docs {
            text.push_str(docs.trim_end());
            text.push('\n');
        }
        text.push_str("export ");
        text.push_str(&declaration);
        text.push('\n');
    };
    macro_rules! export {
        ($($type:ty),* $(,)?) => { $( add(<$type as TS>::docs(), <$type as TS>::decl(&config)); )* };
    }
    export!(
        User,
        SessionInfo,
        SignedOutReason,
        StorageStatus,
        Outage,
        Freshness,
        Challenge,
        Phase,
        SessionState,
        Cause,
        BackendFeatures,
        SessionChanged,
        SignInOutcome,
        LoginInput,
        RegisterInput,
        LogoutReply,
        FetchRequest,
        FetchReply,
        UploadRequest,
        UploadReply,
        Theme,
        AppInfo,
        PolicyInfo,
        Overridden,
        PageCode,
        PageError,
        Obstacle,
        Responsible,
        ObstacleText,
    );
    text.push_str(&obstacles());
    text.push_str(&page_failures());
    text.push_str(&status_meanings());
    text
}

/// The words of every obstacle, so that a window shows what the log and the doctor print.
fn obstacles() -> String {
    let mut text = String::from(
        "\n/** What stands between the app and its server, in the words of the log and the doctor. \
         */\nexport const OBSTACLES: Record<Obstacle, ObstacleText> = {\n",
    );
    for one in Obstacle::ALL {
        let name = serde_json::to_value(one).expect("a name");
        let words = serde_json::to_string(&one.words()).expect("words");
        let name = name.as_str().expect("a text");
        text.push_str(&format!("{name}: {words},\n"));
    }
    text.push_str("};\n");
    text
}

/// The failures that a page finds without a command's answer: in a `Response`, or because there is
/// no shell. The page says them in the core's words.
const PAGE_FAILURES: [(&str, ErrorCode); 9] = [
    ("notSignedIn", ErrorCode::NotSignedIn),
    ("sessionRefused", ErrorCode::SessionRefused),
    ("notAllowed", ErrorCode::NotAllowed),
    ("unsupported", ErrorCode::Unsupported),
    ("rateLimited", ErrorCode::RateLimited),
    ("backendFault", ErrorCode::BackendFault),
    ("badAnswer", ErrorCode::BadAnswer),
    ("tooLarge", ErrorCode::TooLarge),
    ("internal", ErrorCode::Internal),
];

fn page_failures() -> String {
    let mut text = String::from(
        "\n/** The failures that a page finds by itself, as a command would answer them. */\n\
         export const FAILURES = {\n",
    );
    for (name, code) in PAGE_FAILURES {
        let error = serde_json::to_string(&AuthError::new(code)).expect("an error");
        text.push_str(&format!("{name}: {error},\n"));
    }
    text.push_str(
        "} satisfies Record<string, AuthError>;\n\n/** The name of such a failure. */\nexport type \
         FailureName = keyof typeof FAILURES;\n",
    );
    text
}

/// What the status of a `Response` means to a page, from the core's table: those whose meaning is
/// not that of their hundred.
fn status_meanings() -> String {
    let meaning = |status| {
        let (code, obstacle) = api_failure(status);
        let named = PAGE_FAILURES.into_iter().find(|(_, named)| *named == code);
        let (failure, _) = named.unwrap_or_else(|| panic!("a page has no words for {code:?}"));
        let failure = format!("failure: \"{failure}\"");
        match obstacle {
            Some(obstacle) => {
                let obstacle = serde_json::to_string(&obstacle).expect("a name");
                format!("{{ {failure}, obstacle: {obstacle} }}")
            }
            None => format!("{{ {failure} }}"),
        }
    };
    let mut text = String::from(
        "\n/**\n * What the status of an answer to a call means. Those of 400 and 500 are the meanings of \
         every\n * status of their hundred that is not listed.\n */\n\
         export const STATUS_MEANINGS: Record<number, { failure: FailureName; obstacle?: \
         Obstacle }> = {\n",
    );
    for status in 400..600 {
        let meaning_here = meaning(status);
        if status % 100 == 0 || meaning_here != meaning(status / 100 * 100) {
            text.push_str(&format!("  {status}: {meaning_here},\n"));
        }
    }
    text.push_str("};\n");
    text
}

/// Every right that the app's configuration lets some role have.
fn rights() -> String {
    let config = std::fs::read_to_string(root().join("tauri.conf.json")).expect("a configuration");
    let config: serde_json::Value = serde_json::from_str(&config).expect("it is JSON");
    let roles = config["plugins"]["vestibule"].get("roles").cloned();
    let roles: Roles = roles.map_or_else(Roles::default, |roles| {
        serde_json::from_value(roles).expect("a table of roles")
    });
    let names: Vec<String> = roles
        .rights()
        .iter()
        .map(|name| format!("\"{name}\""))
        .collect();
    let union = match names.is_empty() {
        true => "never".to_owned(),
        false => names.join(" | "),
    };
    format!(
        "// Generated from `plugins.vestibule.roles` in tauri.conf.json by `cargo xtask types`. Do \
         not edit.\n\n/** What a role may let someone do in this app. */\nexport type Right = \
         {union};\n"
    )
}

/// Every command of the plugin.
fn commands() -> String {
    let names = command_list!(names).map(|name| format!("  | \"{name}\""));
    format!(
        "// Generated from src-tauri/plugin/src/command_list.rs by `cargo xtask types`. Do not edit.\n\n/** \
         A command of the plugin. */\nexport type Command =\n{};\n",
        names.join("\n")
    )
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Writes the file in `frontend`, or compares it with what it must be.
fn keep(file: &str, wanted: &str, source: &str) {
    let path = root().join("frontend").join(file);
    if std::env::var_os("VESTIBULE_WRITE_TYPES").is_some() {
        std::fs::write(&path, wanted).unwrap_or_else(|error| panic!("{file}: {error}"));
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed.replace("\r\n", "\n") == wanted,
        "frontend/{file} differs from {source}: run `cargo xtask types` and commit it"
    );
}

#[test]
fn wire_types() {
    keep("vestibule/src/ipc/wire.ts", &declarations(), "wire.rs");
}

#[test]
fn right_types() {
    keep("lib/rights.ts", &rights(), "tauri.conf.json");
}

#[test]
fn command_types() {
    keep(
        "vestibule/src/ipc/command-names.ts",
        &commands(),
        "command_list.rs",
    );
}
