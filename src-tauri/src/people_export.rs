//! Exports the list of all accounts as a file: the example of a command that needs a role.
//! `Session::require_right` checks the role first; the list comes from the backend, which checks
//! again and has the last word.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tauri::{AppHandle, Manager as _, Wry, async_runtime, command};
use tauri_plugin_vestibule::vestibule_core::backend::refusal;
use tauri_plugin_vestibule::vestibule_core::wire::{FetchReply, FetchRequest};
use tauri_plugin_vestibule::vestibule_core::{AuthError, ErrorCode};
use tauri_plugin_vestibule::{CommandResult, OneAtATime, WindowSession, internal_error};

use crate::built::rights;

/// Where the backend has the list.
const PATH: &str = "/admin/users";
const HEADING: [&str; 4] = ["Name", "E-mail", "Roles", "Blocked"];
/// The most export files in one folder, because a script can export without end.
const FILES: u32 = 100;

/// The file that was written: the type `Exported` of the page's `export.tsx`.
#[derive(Serialize)]
pub struct Exported {
    /// Where it is, for people to read.
    path: String,
    /// How many rows it has, the heading not counted.
    rows: u32,
}

#[command]
pub async fn export_people(
    _slot: OneAtATime<Wry>,
    app: AppHandle,
    session: WindowSession,
) -> CommandResult<Exported> {
    session.require_right(rights::PEOPLE_EXPORT).await?;
    let request = FetchRequest {
        path: PATH.into(),
        method: "GET".into(),
        headers: vec![("accept".into(), "application/json".into())],
        body: None,
    };
    let people = read(&session.fetch(request).await?)?;
    let folder = folder(&app).map_err(internal_error)?;
    let rows = u32::try_from(people.len()).map_err(internal_error)?;
    let saving = async_runtime::spawn_blocking(move || save(&folder, &csv(&people)));
    let saved = saving
        .await
        .map_err(internal_error)?
        .map_err(internal_error)?;
    let path = saved.ok_or_else(|| {
        let words = format!("There are {FILES} exports in your downloads. Remove some of them.");
        AuthError::with_message(ErrorCode::Busy, words)
    })?;
    Ok(Exported {
        path: path.display().to_string(),
        rows,
    })
}

/// A row of the file.
#[derive(Debug, Deserialize)]
struct Person {
    name: String,
    email: String,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(default)]
    blocked: bool,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum People {
    Bare(Vec<Person>),
    Named { users: Vec<Person> },
}

fn read(reply: &FetchReply) -> Result<Vec<Person>, AuthError> {
    if reply.status != 200 {
        return Err(refusal(reply));
    }
    match serde_json::from_str(&reply.body) {
        Ok(People::Bare(people) | People::Named { users: people }) => Ok(people),
        Err(error) => {
            // Only the kind of the error is logged: its text may quote a person's data.
            tracing::warn!(
                kind = ?error.classify(),
                "the backend's list of accounts is not in the expected form; nothing is exported"
            );
            Err(ErrorCode::BadAnswer.into())
        }
    }
}

/// The list as CSV. The byte order mark at the start tells spreadsheets that it is UTF-8.
fn csv(people: &[Person]) -> String {
    let mut text = String::from("\u{feff}");
    let mut row = |cells: [&str; 4]| {
        text.push_str(&cells.map(cell).join(","));
        text.push_str("\r\n");
    };
    row(HEADING);
    for person in people {
        let blocked = if person.blocked { "yes" } else { "no" };
        let roles = person.roles.join(" ");
        row([&person.name, &person.email, &roles, blocked]);
    }
    text
}

/// A cell whose text stays text. People choose their names themselves, and a spreadsheet takes text
/// that begins with one of these signs for a formula, some of them also behind spaces or line
/// breaks and in their full-width form (OWASP, "CSV Injection"); a leading apostrophe makes it
/// text.
fn cell(text: &str) -> String {
    let is_skipped = |sign: char| sign.is_whitespace() || sign.is_control() || sign == '\u{feff}';
    let is_formula = text
        .trim_start_matches(is_skipped)
        .starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    let begins_apart = text.starts_with(['\t', '\r', '\n']);
    let mark = if is_formula || begins_apart { "'" } else { "" };
    format!("\"{mark}{}\"", text.replace('"', "\"\""))
}

fn folder(app: &AppHandle) -> tauri::Result<PathBuf> {
    let paths = app.path();
    paths.download_dir().or_else(|_| paths.home_dir())
}

/// Writes a new file, never over another; `None` where there are [`FILES`] already. Only this user
/// can read the file, since it has personal data.
fn save(folder: &Path, text: &str) -> io::Result<Option<PathBuf>> {
    std::fs::create_dir_all(folder)?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let names = (2..=FILES).map(|count| format!("people ({count}).csv"));
    for name in ["people.csv".to_owned()].into_iter().chain(names) {
        let path = folder.join(name);
        match options.open(&path) {
            Ok(mut file) => {
                file.write_all(text.as_bytes())?;
                return Ok(Some(path));
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(status: u16, body: &str) -> FetchReply {
        FetchReply {
            status,
            headers: vec![],
            body: body.into(),
            streamed: false,
            length: None,
        }
    }

    #[test]
    fn the_list_becomes_rows() {
        let body = r#"{"users": [
            {"id": "1", "name": "Ada \"A\" Admin", "email": "a@x.y", "roles": ["user", "admin"]},
            {"id": "2", "name": "=HYPERLINK(1)", "email": "-e@x.y", "blocked": true}
        ]}"#;
        let people = read(&reply(200, body)).expect("a list");
        assert_eq!(
            csv(&people),
            "\u{feff}\"Name\",\"E-mail\",\"Roles\",\"Blocked\"\r\n\
             \"Ada \"\"A\"\" Admin\",\"a@x.y\",\"user admin\",\"no\"\r\n\
             \"'=HYPERLINK(1)\",\"'-e@x.y\",\"\",\"yes\"\r\n"
        );
        let bare = read(&reply(200, r#"[{"name": "A", "email": "a@x.y"}]"#));
        assert_eq!(bare.expect("a list").len(), 1);
    }

    #[test]
    fn no_cell_begins_a_formula() {
        for formula in [
            "=1+1",
            "+1",
            "-1",
            "@SUM(A1)",
            " =1+1",
            "\t1",
            "\r1",
            "\n1",
            "\n=1+1",
            "\u{a0}-1",
            "\u{feff}=1",
            "\u{0}=1",
            "＝1+1",
            "＋1",
            "－1",
            "＠SUM(A1)",
            " ＝1",
        ] {
            assert_eq!(cell(formula), format!("\"'{formula}\""), "{formula:?}");
        }
        for text in ["", "Ada", "a=b", "O'Neil", "'=1", " Ada", "Ada -1"] {
            assert_eq!(cell(text), format!("\"{text}\""), "{text:?}");
        }
    }

    #[test]
    fn the_backends_refusal_is_passed_on() {
        for (status, body, code) in [
            (403, "{}", ErrorCode::NotAllowed),
            (401, "{}", ErrorCode::SessionRefused),
            (404, "{}", ErrorCode::Unsupported),
            (500, "{}", ErrorCode::BackendFault),
            (418, "{}", ErrorCode::BadAnswer),
            (200, "<html>", ErrorCode::BadAnswer),
            (200, r#"{"users": [{"id": 1}]}"#, ErrorCode::BadAnswer),
        ] {
            let error = read(&reply(status, body)).expect_err("no list");
            assert_eq!(error.code, code, "{status} {body}");
        }
    }

    #[test]
    fn no_file_is_written_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let save = |folder: &Path, text| save(folder, text).expect("a folder").expect("room");
        let first = save(folder.path(), "one");
        let second = save(folder.path(), "two");
        assert!(first.ends_with("people.csv") && second.ends_with("people (2).csv"));
        assert_eq!(std::fs::read_to_string(first).expect("a file"), "one");
        let third = save(&folder.path().join("new"), "three");
        assert!(third.ends_with("new/people.csv"));
    }

    #[test]
    fn exports_do_not_fill_the_disk() {
        let folder = tempfile::tempdir().expect("a folder");
        let saved = (0..2 * FILES).map(|_| save(folder.path(), "text").expect("a folder"));
        assert_eq!(saved.flatten().count(), FILES as usize);
        let files = std::fs::read_dir(folder.path()).expect("a folder");
        assert_eq!(files.count(), FILES as usize);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_reads_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let saved = save(folder.path(), "one").expect("a folder").expect("room");
        let about = std::fs::metadata(saved).expect("a file");
        assert_eq!(about.permissions().mode() & 0o777, 0o600);
    }
}
