//! With NVIDIA's driver WebKit is told not to use DMA buffers, with which that driver leaves the
//! window blank. A user's own setting of the variable is kept.

use std::fs;
use std::process::Stdio;

use vestibule_acceptance::{ProcessGroup, Stage, app, scenario, until};

const VARIABLE: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
const ENGINE: &str = "WebKitWebProcess";

/// Becomes the app in namespaces in which the driver's file exists, or does not.
const WITH_DRIVER: &str = r#"mount -t tmpfs none /proc/driver &&
mkdir /proc/driver/nvidia && echo NVRM >/proc/driver/nvidia/version && exec "$0""#;
const WITHOUT_DRIVER: &str = r#"mount -t tmpfs none /proc/driver && exec "$0""#;

#[test]
fn the_engine_does_without_dma_buffers_beside_nvidias_driver() {
    scenario(async |stage| {
        let own = told(stage, WITH_DRIVER, Some("0")).await;
        assert_eq!(own.as_deref(), Some("0"), "the user's own setting is kept");
        assert_eq!(told(stage, WITHOUT_DRIVER, None).await, None);
        assert_eq!(told(stage, WITH_DRIVER, None).await.as_deref(), Some("1"));
    });
}

/// The value of the variable in the web engine's environment when the app starts here.
async fn told(stage: &Stage, machine: &str, set: Option<&str>) -> Option<String> {
    let mut command = stage.desktop.command("unshare");
    command.arg("--mount");
    if !rustix::process::geteuid().is_root() {
        command.arg("--map-root-user");
    }
    command
        .args(["sh", "-c", machine])
        .arg(app())
        .env_remove(VARIABLE)
        .envs(set.map(|value| (VARIABLE, value)))
        .stdin(Stdio::null());
    let mut started = ProcessGroup::start(&mut command);
    let environment = until("the web engine", async || {
        if let Some(status) = started.ended() {
            return Err(format!("the app has ended: {status}"));
        }
        fs::read(format!("/proc/{}/environ", engine(stage)?)).map_err(|error| error.to_string())
    })
    .await;
    drop(started);
    until("the web engine to end", async || match engine(stage) {
        Ok(_) => Err("the web engine still runs".into()),
        Err(_) => Ok(()),
    })
    .await;
    let environment = String::from_utf8_lossy(&environment).into_owned();
    let mut variables = environment.split('\0');
    let value = variables.find_map(|variable| variable.strip_prefix(VARIABLE)?.strip_prefix('='));
    value.map(str::to_owned)
}

/// The process that draws the pages.
fn engine(stage: &Stage) -> Result<u32, String> {
    let mut running = stage.desktop.running().into_iter();
    let engine = running.find(|(_, program)| program.ends_with(ENGINE));
    engine
        .map(|(id, _)| id)
        .ok_or("the web engine does not run".into())
}
