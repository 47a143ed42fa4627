//! The TypeScript twin of `vestibule_core::wire` is generated, committed, and checked here
//! for drift. `cargo xtask types` writes it.

use ts_rs::{Config, TS};
use vestibule_core::error::{AuthError, ErrorCode};
use vestibule_core::wire::*;

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
        Offers,
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
        ErrorCode,
        AuthError,
    );
    text
}

#[test]
fn wire_types() {
    let path =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../frontend/lib/native/wire.ts");
    let wanted = declarations();
    if std::env::var_os("VESTIBULE_WRITE_TYPES").is_some() {
        std::fs::write(&path, &wanted).expect("wire.ts can be written");
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed.replace("\r\n", "\n") == wanted,
        "frontend/lib/native/wire.ts differs from wire.rs: run `cargo xtask types` and commit it"
    );
}
