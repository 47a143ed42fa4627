//! Makes pictures of every screen of the real window, small and large, light and dark, in
//! `target/screens`, for people to look at. It fails only if a screen is wider than its window.
//!
//! `cargo run -p vestibule-acceptance --bin screens [tour|hard|accounts|browser]…`; without a name all of them.

use std::process::ExitCode;

use serde_json::json;
use vestibule_acceptance::{
    App, Stage, account_screens, artifacts, browser_screens, hard_cases, screens, tour,
};
use vestibule_backend::Config;

const SIZES: [(u32, u32); 2] = [(800, 600), (1440, 900)];
const THEMES: [&str; 2] = ["light", "dark"];

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> ExitCode {
    let named: Vec<String> = std::env::args().skip(1).collect();
    let is_wanted = |walk: &str| named.is_empty() || named.iter().any(|name| name == walk);
    let mut wide = Vec::new();
    for walk in ["tour", "hard", "accounts", "browser"] {
        if !is_wanted(walk) {
            continue;
        }
        let stage = Stage::new("screens", Config::default()).await;
        let mut visit = async |app: &App, screen: &str| picture(app, screen, &mut wide).await;
        match walk {
            "tour" => tour::walk(&stage, &mut visit).await,
            "hard" => hard_cases::walk(&stage, &mut visit).await,
            "accounts" => account_screens::walk(&stage, &mut visit).await,
            _ => {
                browser_screens::walk(&stage, &mut visit).await;
                browser_screens::by_link(&stage, &mut visit).await;
            }
        }
        let _ = std::fs::remove_file(stage.log());
    }
    println!(
        "in {}; logs in {}",
        screens().display(),
        artifacts().display()
    );
    for name in &wide {
        eprintln!("wider than its window: {name}");
    }
    ExitCode::from(u8::from(!wide.is_empty()))
}

/// Makes the pictures of one screen; adds the names of those that overflow to `wide`.
async fn picture(app: &App, screen: &str, wide: &mut Vec<String>) {
    shown(app).await;
    for theme in THEMES {
        set_theme(app, theme).await;
        for (width, height) in SIZES {
            resize(app, width, height).await;
            settle(app).await;
            let name = format!("{screen}-{width}x{height}-{theme}.png");
            let taken = app.driver().screenshot(&screens().join(&name)).await;
            taken.expect("a screenshot");
            println!("{name}");
            if overflows(app).await {
                wide.push(name);
            }
        }
    }
}

/// Whether the page can be scrolled sideways.
async fn overflows(app: &App) -> bool {
    let script = "const { scrollWidth, clientWidth } = document.documentElement;
         return scrollWidth > clientWidth;";
    app.run(script).await == json!(true)
}

/// Waits until the window is visible: WebKit stops drawing frames in a window that was resized
/// while hidden.
async fn shown(app: &App) {
    app.run_async(
        "const look = () => document.visibilityState === 'visible'
           ? done(true) : setTimeout(look, 10);
         look();",
        json!(null),
    )
    .await;
}

/// Sets the theme by the shell's command, as the account page does, and waits for the page.
async fn set_theme(app: &App, theme: &str) {
    let followed = app
        .run_async(
            "await window.__TAURI_INTERNALS__.invoke('plugin:vestibule|set_theme', { theme: argument });
             const query = matchMedia(`(prefers-color-scheme: ${argument})`);
             const until = performance.now() + 5000;
             const look = () => query.matches || performance.now() > until
               ? done(query.matches) : setTimeout(look, 10);
             look();",
            json!(theme),
        )
        .await;
    assert_eq!(followed, json!(true), "the page follows the theme {theme}");
}

async fn resize(app: &App, width: u32, height: u32) {
    let resized = app.driver().set_window_rect(0, 0, width, height).await;
    resized.expect("the window takes this size");
}

/// Waits until all animations have ended, except endless ones.
async fn settle(app: &App) {
    app.run_async(
        "await document.fonts.ready;
         const passing = (animation) =>
           animation.effect.getComputedTiming().iterations !== Infinity;
         await Promise.allSettled(
           document.getAnimations().filter(passing).map(({ finished }) => finished));
         requestAnimationFrame(() => requestAnimationFrame(() => done(true)));",
        json!(null),
    )
    .await;
}
