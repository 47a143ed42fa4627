//! Every type that crosses to the page: those that the commands take and answer with, and those that
//! stand in these.

use std::collections::{BTreeMap, BTreeSet};

use ts_rs::{Config, TS, TypeVisitor};
use vestibule_core::testing::api_failure;
use vestibule_core::wire::*;
use vestibule_core::{AuthError, ErrorCode, Obstacle, ObstacleText, PageError};

use crate::command_list::command_list;
use crate::commands::{ArrayBuffer, Channel};
use crate::keep;

/// Types that the page has from elsewhere.
const NOT_OURS: [&str; 2] = ["Channel", "ArrayBuffer"];

/// Declarations in TypeScript, by the type's name without arguments: ts-rs visits what a type consists of in an order
/// that may change with each compilation.
#[derive(Default)]
struct Declarations {
    seen: BTreeSet<String>,
    texts: BTreeMap<String, String>,
}

impl TypeVisitor for Declarations {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        let config = Config::default();
        if !self.seen.insert(T::name(&config)) {
            return;
        }
        T::visit_dependencies(self);
        T::visit_generics(self);
        // Only a type with a declaration of its own has a place for one.
        if T::output_path().is_none() || NOT_OURS.contains(&&*T::ident(&config)) {
            return;
        }
        let docs = T::docs().unwrap_or_default();
        let declaration = T::decl(&config);
        let text = format!("\n{}\nexport {declaration}\n", docs.trim_end());
        self.texts.insert(T::ident(&config), text);
    }
}

macro_rules! visit_types {
    (@arguments $all:ident (raw)) => {};
    (@arguments $all:ident ($($argument:ident: $type:ty),*)) => { $($all.visit::<$type>();)* };
    ($all:ident: $($(#[$about:meta])* $group:ident {
        $($name:ident $arguments:tt $(-> $answer:ty)?;)*
    })*) => {
        $($(
            visit_types!(@arguments $all $arguments);
            $($all.visit::<$answer>();)?
        )*)*
    };
}

/// All declarations, by the type's name.
fn declared_types() -> BTreeMap<String, String> {
    let mut all = Declarations::default();
    command_list!(each with visit_types(all:));
    // What a command rejects with, and the words for it.
    all.visit::<PageError>();
    all.visit::<ObstacleText>();
    all.texts
}

/// The names of the types that `wire.ts` declares.
pub fn declared() -> BTreeSet<String> {
    declared_types().into_keys().collect()
}

fn declarations() -> String {
    let mut text = String::from(
        "// Generated from src-tauri/core/src/wire.rs by `cargo xtask types`. Do not edit.\n",
    );
    text.extend(declared_types().into_values());
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

#[test]
fn wire_types() {
    keep(
        "frontend/vestibule/src/ipc/wire.ts",
        &declarations(),
        "wire.rs",
    );
}
