//! The packages that a user installs: unpacked, complete, and started as they are.
//!
//! What ships shuts WebDriver out, so the screen itself is looked at.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use vestibule_acceptance::{Desktop, Group, Screen, bundles, until};

#[test]
fn the_deb_starts() {
    unpacked_and_started("deb", |package, into| {
        let mut unpack = Command::new("dpkg-deb");
        unpack.arg("-x").arg(package).arg(into);
        unpack
    });
}

#[test]
fn the_rpm_starts() {
    unpacked_and_started("rpm", |package, into| {
        let mut unpack = Command::new("bsdtar");
        unpack.arg("-xf").arg(package).arg("-C").arg(into);
        unpack
    });
}

fn unpacked_and_started(kind: &str, unpack: impl Fn(&Path, &Path) -> Command) {
    let package = the_only(&bundles().join(kind), kind);
    let tree = tempfile::tempdir().expect("a folder");
    let status = unpack(&package, tree.path()).status();
    let status = status.unwrap_or_else(|error| {
        panic!("the .{kind} cannot be unpacked: {error} (`cargo xtask setup` installs what the tests need)")
    });
    assert!(status.success(), "{} unpacks", package.display());

    let usr = tree.path().join("usr");
    let entry = the_only(&usr.join("share/applications"), "desktop");
    let entry = std::fs::read_to_string(entry).expect("the menu's entry");
    for line in ["Exec=vestibule", "Icon=vestibule", "Name=Vestibule"] {
        assert!(
            entry.contains(line),
            "the menu's entry says {line}: {entry}"
        );
    }
    let icon = usr.join("share/icons/hicolor/128x128/apps/vestibule.png");
    assert!(icon.is_file(), "the menu's entry has its icon");

    let desktop = Desktop::open();
    let mut app = desktop.command(usr.join("bin/vestibule"));
    app.stdin(Stdio::null());
    // The build for WebDriver shows nothing but what is wrong with it; what ships heeds none.
    app.env("VESTIBULE_PROFILE", "/no/such/profile.toml");
    let mut app = Group::start(&mut app);
    let screen = Screen::of(&desktop);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(until("a page in the window", async || {
        if let Some(status) = app.ended() {
            return Err(format!("the app has ended: {status}"));
        }
        match screen.colours_of("Vestibule") {
            Some(many) if many > A_PAGE => Ok(()),
            colours => Err(format!("colours in the window: {colours:?}")),
        }
    }));
}

/// Measured: the skeleton has about 90 colours, the engine's own error page 270, the home page
/// 1,300.
const A_PAGE: usize = 700;

fn the_only(folder: &Path, extension: &str) -> PathBuf {
    let files =
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found: Vec<_> = files
        .flatten()
        .map(|file| file.path())
        .filter(|file| file.extension().is_some_and(|end| end == extension))
        .collect();
    assert_eq!(found.len(), 1, "in {}: {found:?}", folder.display());
    found.remove(0)
}
