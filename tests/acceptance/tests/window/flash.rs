//! M13: a page knows at its first paint whether somebody is signed in. A recorder of DOM changes
//! that runs before the page's own scripts shows it, over starts of the app and loads of pages.

use std::path::{Path, PathBuf};

use vestibule_acceptance::{DEMO, DEMO_NAME, Page, Role, containing, repository, scenario};
use vestibule_backend::{Effect, Fault};

use crate::signed_in;

/// How often the pages are checked.
#[derive(Clone, Copy)]
struct Plan {
    /// Starts of the process with somebody signed in, whose name the first paint has to show.
    starts: usize,
    /// Starts with nobody signed in. The window opens on a public page, so the load of a guarded
    /// page is what is checked.
    starts_signed_out: usize,
    /// Loads of a page in the running app.
    loads: usize,
}

const SHORT: Plan = Plan {
    starts: 9,
    starts_signed_out: 4,
    loads: 15,
};

const LONG: Plan = Plan {
    starts: 50,
    starts_signed_out: 10,
    loads: 40,
};

/// Pages that a signed-in user loads; the last two redirect.
const PAGES: [&str; 5] = [
    "/",
    "/dashboard/",
    "/payment/",
    "/auth/login/",
    "/auth/register/",
];

fn no_way_in(page: &Page) {
    assert_eq!(
        page.way_in(),
        Vec::<String>::new(),
        "a way in was in the page {} of a signed-in user",
        page.address
    );
    assert!(!page.texts.is_empty(), "the recorder saw the page");
}

#[test]
fn a_signed_in_user_never_meets_a_way_in() {
    a_way_in_is_looked_for(SHORT);
}

#[test]
#[ignore = "takes two minutes: cargo xtask test --only acceptance flash -- --ignored"]
fn a_signed_in_user_never_meets_a_way_in_at_fifty_starts() {
    a_way_in_is_looked_for(LONG);
}

fn a_way_in_is_looked_for(plan: Plan) {
    scenario(async |stage| {
        let mut app = signed_in(stage, DEMO, DEMO_NAME).await;
        for start in 0..plan.starts {
            app.kill();
            // At every third start the backend takes longer to answer than a start waits for it.
            if start % 3 == 2 {
                let slow = Fault::on("POST", "/refresh-token", Effect::Delay { ms: 1_500 });
                stage.backend.faults().add(slow.times(1));
            }
            app = stage.start().await;
            app.find(Role::Button, containing(DEMO_NAME)).await;
            let frame = app.first_paint().await;
            assert!(frame.contains(DEMO_NAME), "the first paint reads {frame:?}");
            app.record().await.pages().for_each(no_way_in);
        }
        for load in 0..plan.loads {
            app.open(PAGES[load % PAGES.len()]).await;
            app.find(Role::Button, containing(DEMO_NAME)).await;
        }
        let record = app.record().await;
        assert_eq!(
            record.pages().count(),
            plan.loads + 1,
            "each load was recorded"
        );
        record.pages().for_each(no_way_in);
    });
}

/// Words that only guarded pages show.
const GUARDED: [&str; 6] = [
    "Your session",
    "Your roles",
    "Profile",
    "Appearance",
    "This session",
    "Sign out everywhere",
];

fn guarded(page: &Page) -> Vec<&String> {
    let is_guarded = |text: &&String| GUARDED.contains(&text.as_str());
    page.texts.iter().filter(is_guarded).collect()
}

fn nothing_guarded(page: &Page) {
    assert!(guarded(page).is_empty(), "{:?} was shown", guarded(page));
    assert!(!page.texts.is_empty(), "the recorder saw the page");
}

#[test]
fn a_guarded_page_never_shows_its_content_to_the_signed_out() {
    guarded_content_is_looked_for(SHORT);
}

#[test]
#[ignore = "takes a minute: cargo xtask test --only acceptance flash -- --ignored"]
fn a_guarded_page_never_shows_its_content_to_the_signed_out_at_many_loads() {
    guarded_content_is_looked_for(LONG);
}

fn guarded_content_is_looked_for(plan: Plan) {
    const GUARDED_PAGES: [&str; 2] = ["/dashboard/", "/account/"];
    scenario(async |stage| {
        for start in 0..plan.starts_signed_out {
            let app = stage.start_at(GUARDED_PAGES[start % 2]).await;
            app.arrives("/auth/login/").await;
            app.find(Role::Heading, "Sign in").await;
            app.record().await.pages().for_each(nothing_guarded);
            app.kill();
        }
        let app = stage.start().await;
        app.find(Role::Link, "Sign in").await;
        for load in 0..plan.loads {
            app.open(GUARDED_PAGES[load % 2]).await;
            app.arrives("/auth/login/").await;
            app.find(Role::Heading, "Sign in").await;
        }
        let record = app.record().await;
        assert_eq!(
            record.pages().count(),
            plan.loads + 1,
            "each load was recorded"
        );
        record.pages().for_each(nothing_guarded);
    });
}

/// What no exported page may contain, since everybody can open it: a link to sign in, an element to
/// click or to type into, or a word of a guarded page.
const UNSAID: [&str; 7] = [
    "<a ",
    "<button",
    "<form",
    "<input",
    "Create account",
    "Password",
    "Sign in",
];

fn said(html: &str) -> Vec<&str> {
    let words = UNSAID.into_iter().chain(GUARDED);
    words.filter(|word| html.contains(word)).collect()
}

fn exported(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the export, which `cargo xtask test` makes");
    let mut pages = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            pages.extend(exported(&path));
        } else if path.extension().is_some_and(|end| end == "html") {
            pages.push(path);
        }
    }
    pages
}

#[test]
fn the_exported_pages_hold_neither_a_way_in_nor_guarded_content() {
    let out = repository().join("frontend/out");
    let pages = exported(&out);
    for page in &pages {
        let html = std::fs::read_to_string(page).expect("a page");
        assert!(html.contains("<title>Vestibule</title>"), "{page:?}");
        assert_eq!(said(&html), [""; 0], "in {page:?}");
    }
    for path in PAGES
        .into_iter()
        .chain(["/account/", "/auth/otp/", "/auth/browser/"])
    {
        let page = out.join(path.trim_start_matches('/')).join("index.html");
        assert!(pages.contains(&page), "{path} was checked");
    }
    // The control: these would be found.
    assert_eq!(said("<p><a href=x>Sign in</a></p>"), ["<a ", "Sign in"]);
    assert_eq!(said("<h2>Your roles</h2>"), ["Your roles"]);
}

/// The control: the recorder sees what the tests above do not find.
#[test]
fn the_recorder_sees_a_way_in_and_guarded_content_where_they_belong() {
    scenario(async |stage| {
        let app = stage.start().await;
        app.find(Role::Link, "Sign in").await;
        let way_in = app.record().await.latest().way_in();
        assert!(
            way_in.iter().any(|seen| seen.contains("/auth/login/")),
            "the link is seen: {way_in:?}"
        );
        app.open("/auth/login/").await;
        app.find(Role::Field, "Password").await;
        let way_in = app.record().await.latest().way_in();
        assert!(
            way_in.iter().any(|seen| seen.contains("password")),
            "the form is seen: {way_in:?}"
        );
        drop(app);

        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        for (path, text) in [
            ("/dashboard/", "Your session"),
            ("/account/", "This session"),
        ] {
            app.open(path).await;
            app.reads(text).await;
            let record = app.record().await;
            assert!(!guarded(record.latest()).is_empty(), "{path} is seen");
        }
        // An element that exists for less than a frame is seen too.
        app.run(
            "const flash = document.createElement('a');
             flash.href = '/auth/login/';
             document.body.append(flash);
             flash.remove();",
        )
        .await;
        assert_eq!(
            app.record().await.latest().way_in(),
            ["a link to /auth/login/"]
        );
    });
}
