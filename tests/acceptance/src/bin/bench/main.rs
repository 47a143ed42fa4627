//! Figures, printed and not judged. `cargo xtask bench` builds what is measured and runs
//! this; by itself it wants the app where `cargo xtask build --e2e` puts it.
//!
//! It runs itself again on a private desktop, so that the keyring it writes to is not the
//! developer's.

mod figures;
mod overhead;
mod reads;
mod start;

use std::process::ExitCode;
use std::sync::Arc;

use vestibule_acceptance::Desktop;
use vestibule_core::keyring::Keyring;

const INSIDE: &str = "VESTIBULE_BENCH_INSIDE";

fn main() -> ExitCode {
    if std::env::var_os(INSIDE).is_none() {
        return outside();
    }
    // The connection to the keyring must not be closed on a thread of the runtime.
    let keyring = Arc::new(Keyring::new("vestibule-bench"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        reads::measure().await;
        overhead::measure(keyring.clone()).await;
        start::measure().await;
    });
    ExitCode::SUCCESS
}

fn outside() -> ExitCode {
    let desktop = Desktop::open();
    let own = std::env::current_exe().expect("our own binary");
    let status = desktop.command(own).env(INSIDE, "1").status();
    let code = status.expect("it starts").code();
    code.and_then(|code| u8::try_from(code).ok())
        .map_or(ExitCode::FAILURE, ExitCode::from)
}
