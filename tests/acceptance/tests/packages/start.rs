//! Each package starts and shows a page.

use std::process::Stdio;

use vestibule_acceptance::{Desktop, ProcessGroup, Screen, until};

use crate::unpacked::{Unpacked, the_only};

#[test]
fn the_deb_starts() {
    starts(&Unpacked::deb());
}

#[test]
fn the_rpm_starts() {
    starts(&Unpacked::rpm());
}

fn starts(package: &Unpacked) {
    let usr = package.usr();
    let entry = the_only(&usr.join("share/applications"), "desktop");
    let entry = std::fs::read_to_string(entry).expect("the desktop entry");
    for line in ["Exec=vestibule", "Icon=vestibule", "Name=Vestibule"] {
        assert!(
            entry.contains(line),
            "the desktop entry contains {line}: {entry}"
        );
    }
    let icon = usr.join("share/icons/hicolor/128x128/apps/vestibule.png");
    assert!(icon.is_file(), "the icon of the desktop entry exists");

    let desktop = Desktop::open();
    let mut app = desktop.command(package.app());
    app.stdin(Stdio::null());
    // The build for WebDriver uses this variable and would show an error; the shipped app ignores
    // it.
    app.env("VESTIBULE_PROFILE", "/no/such/profile.toml");
    let mut app = ProcessGroup::start(&mut app);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(a_page(&desktop, &mut app));
}

/// Waits until the window shows a page of the app.
pub async fn a_page(desktop: &Desktop, app: &mut ProcessGroup) {
    let screen = Screen::of(desktop);
    until("a page in the window", async || {
        if let Some(status) = app.ended() {
            return Err(format!("the app has ended: {status}"));
        }
        is_drawn(&screen)
    })
    .await;
}

/// Whether the window shows a page now.
pub fn is_drawn(screen: &Screen) -> Result<(), String> {
    match screen.colours_of("Vestibule") {
        Some(many) if many > A_PAGE => Ok(()),
        colours => Err(format!("colours in the window: {colours:?}")),
    }
}

/// How many colours the window shows at least when a page is drawn. Measured: the skeleton has
/// about 90, the engine's own error page 270, the home page 1,300.
const A_PAGE: usize = 700;
