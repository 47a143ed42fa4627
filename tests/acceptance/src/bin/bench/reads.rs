//! How long a page waits for the session: `/get-session` through the Better Auth client, as
//! `useSession().refetch()` asks for it, and for comparison a bare command of the shell.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use vestibule_acceptance::{DEMO, PASSWORD, Role, Stage};
use vestibule_backend::Config;

use crate::figures::{Times, told};

const BATCHES: usize = 20;
const IN_A_BATCH: usize = 50;

/// The clock of a page ticks in whole milliseconds, so reads are timed in batches.
#[derive(Deserialize)]
struct Batches {
    client: Vec<f64>,
    command: Vec<f64>,
    users: Vec<String>,
}

pub async fn measure() {
    println!(
        "\nSession read in the window: the mean of each of {BATCHES} batches of {IN_A_BATCH} reads"
    );
    let stage = Stage::new("bench-reads", Config::default()).await;
    let app = stage.start_at("/payment/?plan=team").await;
    app.click(Role::Link, "Sign in to buy").await;
    app.fill("E-mail", DEMO).await;
    app.fill("Password", PASSWORD).await;
    app.click(Role::Button, "Sign in").await;
    app.find(Role::Button, "Buy Team").await;
    let before = stage.backend.requests("POST", "/refresh-token");
    let measured = app
        .run_async(SCRIPT, json!({ "batches": BATCHES, "reads": IN_A_BATCH }))
        .await;
    let measured: Batches = serde_json::from_value(measured.clone())
        .unwrap_or_else(|_| panic!("the page could not measure: {measured}"));
    assert_eq!(measured.users, [DEMO], "each read saw the user");
    let asked = stage.backend.requests("POST", "/refresh-token") - before;
    told(
        "useSession's refetch (/get-session)",
        &times(&measured.client),
    );
    told(
        "the command `session` (IPC round trip)",
        &times(&measured.command),
    );
    println!("requests to the backend meanwhile: {asked}");
    let _ = std::fs::remove_file(stage.log());
}

fn times(means: &[f64]) -> Times {
    let mut times = Times::default();
    for mean in means {
        times.add(Duration::from_secs_f64(mean / 1000.0));
    }
    times
}

/// The client is no global, and is not made one for this: the hook's value, with its
/// `refetch`, is found where React keeps it for the component that shows it.
const SCRIPT: &str = "
  const key = Object.keys(document).find((name) => name.startsWith('__reactContainer$'));
  const root = document[key].stateNode.current;
  let query = null;
  const fibers = [root];
  while (fibers.length > 0 && !query) {
    const fiber = fibers.pop();
    for (let hook = fiber.memoizedState; hook && typeof hook === 'object'; hook = hook.next) {
      const held = hook.memoizedState;
      if (held && typeof held.refetch === 'function' && held.data?.user) query = held;
    }
    if (fiber.sibling) fibers.push(fiber.sibling);
    if (fiber.child) fibers.push(fiber.child);
  }
  if (!query) return done('no component uses the session here');
  const { invoke } = window.__TAURI_INTERNALS__;
  const users = new Set();
  const batches = async (read) => {
    const means = [];
    for (let batch = 0; batch < argument.batches; batch++) {
      const begun = performance.now();
      for (let nth = 0; nth < argument.reads; nth++) await read();
      means.push((performance.now() - begun) / argument.reads);
    }
    return means;
  };
  const client = await batches(() => query.refetch());
  const command = await batches(async () => {
    users.add((await invoke('session')).state.user.email);
  });
  done({ client, command, users: [...users] });
";
