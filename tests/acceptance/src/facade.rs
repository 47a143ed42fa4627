//! Gives tests the frontend's `auth` facade. Its sources are bundled unchanged and put into a page
//! of the real window, so that a test makes there the calls that a page would make.

use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::app::App;
use crate::paths;

impl App {
    /// Runs the body of a script in the page; it may use `auth`, `publicFetch` and `argument`.
    /// Returns its result, or `{"thrown": {"name", "code", "message"}}`.
    ///
    /// # Panics
    /// If the page does not answer.
    pub async fn with_auth(&self, script: &str, argument: Value) -> Value {
        if self.run("return 'vestibule' in window").await != Value::Bool(true) {
            let facade = facade();
            self.run(&format!("{facade}\nwindow.vestibule = vestibule;"))
                .await;
        }
        let script = format!(
            "const {{ auth, publicFetch }} = window.vestibule;
             const said = ({{ name, code, message }}) => ({{ name, code, message }});
             const body = async () => {{ {script} }};
             done(await body().catch((error) => ({{ thrown: said(error) }})) ?? null);"
        );
        self.run_async(&script, argument).await
    }
}

/// The bundled script, made once.
fn facade() -> &'static str {
    static FACADE: OnceLock<String> = OnceLock::new();
    FACADE.get_or_init(|| bundle("tests/acceptance/src/facade.ts", "vestibule"))
}

/// Bundles a module of the repository with all its imports, as a script that sets the global `name`
/// to an object of the module's exports.
///
/// # Panics
/// If it cannot be bundled.
#[must_use]
pub fn bundle(module: &str, name: &str) -> String {
    let frontend = paths::repository().join("frontend");
    let bundler = frontend.join("node_modules/.bin/rolldown");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("bundle.js");
    let made = Command::new(&bundler)
        .arg(paths::repository().join(module))
        .args(["--format", "iife", "--name", name])
        .args(["--platform", "browser", "--logLevel", "warn"])
        .args(["--transform.define", "process.env.NODE_ENV:\"production\""])
        .arg("--tsconfig")
        .arg(frontend.join("tsconfig.json"))
        .arg("--file")
        .arg(&file)
        .current_dir(&frontend)
        .output();
    let made = made.unwrap_or_else(|error| {
        let bundler = bundler.display();
        panic!("{bundler} cannot be run ({error}): run `npm ci` in `frontend`")
    });
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{module} cannot be bundled: {said}");
    std::fs::read_to_string(&file).expect("a bundle")
}
