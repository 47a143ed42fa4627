//! The shipped app accepts no WebDriver session, even where the environment asks for one.

use std::path::Path;
use std::time::Duration;

use vestibule_acceptance::{Desktop, Driver, Screen, app, until};

use crate::start::is_drawn;
use crate::unpacked::Unpacked;

/// How long the driver may still take once the page is on the screen. With the build for tests the
/// session exists before there is a page.
const MERCY: Duration = Duration::from_secs(5);

#[test]
fn webdriver_does_not_get_in() {
    let package = Unpacked::deb();
    let got_in = runtime().block_on(gets_in(&package.app()));
    assert!(!got_in, "the shipped app accepted a WebDriver session");
}

/// The control: the build for tests accepts a session.
#[test]
fn webdriver_gets_into_the_build_for_tests() {
    assert!(runtime().block_on(gets_in(&app())));
}

/// Starts the app through `tauri-driver`, which sets the variable. Returns whether a session began
/// before the page was there without one.
async fn gets_in(app: &Path) -> bool {
    let desktop = Desktop::open();
    let log = desktop.home().join("driver.log");
    let screen = Screen::of(&desktop);
    let mut driver = Driver::start(&desktop, &log, &[]).await;
    let shown = async {
        until("a page in the window", async || is_drawn(&screen)).await;
        tokio::time::sleep(MERCY).await;
    };
    tokio::select! {
        session = driver.open(app, &[]) => match session {
            Ok(session) => {
                let _ = session.leak();
                true
            }
            Err(error) => {
                eprintln!("no session: {error}");
                false
            }
        },
        () = shown => false,
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().expect("a runtime")
}
