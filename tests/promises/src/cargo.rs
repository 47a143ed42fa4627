//! Runs other cargo commands of this repository, for promises whose long form is such a command.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

/// The result of a command.
pub struct Ended {
    /// Whether it succeeded.
    pub ok: bool,
    /// Its standard output.
    pub text: String,
}

/// Runs cargo at the repository's root and returns its standard output; its standard error is
/// shown.
pub async fn cargo(arguments: &[&str], environment: &[(&str, &str)]) -> Result<Ended, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(root())
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| format!("cargo cannot be run: {error}"))?;
    Ok(Ended {
        ok: output.status.success(),
        text: String::from_utf8_lossy(&output.stdout).into_owned(),
    })
}

/// The repository's root.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}
