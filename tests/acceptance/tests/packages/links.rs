//! The package registers the scheme of links, and a link that the desktop opens reaches the app: at a cold
//! start, and while it runs.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use vestibule_acceptance::{Desktop, until};

use crate::unpacked::{Unpacked, the_only};

const SCHEME: &str = "dev.vestibule.desktop";

#[test]
fn the_desktop_opens_links_with_the_deb() {
    opens_links(&Unpacked::deb());
}

#[test]
fn the_desktop_opens_links_with_the_rpm() {
    opens_links(&Unpacked::rpm());
}

fn opens_links(package: &Unpacked) {
    register(&package.usr().join("share/applications"));
    let desktop = Desktop::open();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        for (host, running) in [("one.example", 1), ("two.example", 1)] {
            open(
                &desktop,
                package,
                &format!("{SCHEME}:/join?workspace={host}"),
            );
            let line = format!("a link asks to add a workspace host=\"{host}\"");
            until("the link in the log", async || {
                let log = log_of(desktop.home()).ok_or("there is no log")?;
                log.contains(&line).then_some(()).ok_or(log)
            })
            .await;
            until("the launches to be one process", async || {
                match desktop.processes(&package.app()).len() {
                    count if count == running => Ok(()),
                    count => Err(format!("there are {count}")),
                }
            })
            .await;
        }
    });
}

/// Runs what the system's trigger runs when a package is installed (Debian's `desktop-file-utils`): it lists
/// the entry under the types that it names.
fn register(applications: &Path) {
    let mut update = Command::new("update-desktop-database");
    let ended = update.arg("--quiet").arg(applications).status();
    let ended = ended.unwrap_or_else(|error| {
        panic!(
            "update-desktop-database: {error} (`cargo xtask setup` installs what the tests need)"
        )
    });
    assert!(ended.success(), "the entry is valid: {ended}");
    let listed = fs::read_to_string(applications.join("mimeinfo.cache")).expect("the list");
    let entry = the_only(applications, "desktop");
    let name = entry.file_name().expect("a name").display();
    let wanted = format!("x-scheme-handler/{SCHEME}={name};");
    assert!(listed.contains(&wanted), "{listed}");
}

/// Opens a link with the desktop's own program, which finds the app by the entry of its package.
fn open(desktop: &Desktop, package: &Unpacked, link: &str) {
    let usr = package.usr();
    let programs = std::env::var("PATH").unwrap_or_default();
    let mut opener: Command = desktop.command("gio");
    let opened = opener
        .args(["open", link])
        .env("PATH", format!("{}:{programs}", usr.join("bin").display()))
        .env("XDG_DATA_DIRS", usr.join("share"))
        .stdin(Stdio::null())
        .status();
    assert!(
        opened.expect("gio is installed").success(),
        "gio opens {link}"
    );
}

fn log_of(folder: &Path) -> Option<String> {
    let entries = fs::read_dir(folder).ok()?;
    entries.flatten().find_map(|entry| {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => log_of(&path),
            _ if entry.file_name() == "vestibule.log" => fs::read_to_string(path).ok(),
            _ => None,
        }
    })
}
