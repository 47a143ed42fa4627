//! Runs the script of an attack in the page, with the functions that count what came of its calls.

use std::time::{Duration, Instant};

use serde_json::Value;
use vestibule_acceptance::App;
use vestibule_harness::Lost;

/// A script that runs for longer than this hangs.
const LONGEST: Duration = Duration::from_secs(900);

/// Counts the results of a batch of promises. A refusal has to name the command or the bound.
///
/// Tauri tells the answers of calls apart by random numbers of 32 bits. Of 60,000 numbers two are the
/// same in a third of all cases, and then one call is never answered. So a call or two may be missing
/// when no other has been answered for a while.
const COUNT: &str = "
    const count = async (promises) => {
      let left = promises.length;
      const settled = () => { left -= 1; };
      for (const promise of promises) promise.then(settled, settled);
      const mistaken = new Promise((resolve) => {
        let before;
        const look = () => {
          if (left === before && left <= 2) return resolve();
          before = left;
          setTimeout(look, 5000);
        };
        if (promises.length > 5000) look();
      });
      const came = { done: 0, refused: 0, other: 0, words: [] };
      const ends = promises.map((promise) => Promise.race([promise, mistaken]));
      for (const { status, reason } of await Promise.allSettled(ends)) {
        if (status === 'fulfilled') came.done += 1;
        else if (reason?.code === 'busy' || reason?.status === 413) {
          came.refused += 1;
          if (came.words.length < 3) came.words.push(reason.message);
        } else {
          came.other += 1;
          if (came.words.length < 3) came.words.push(String(reason?.message ?? reason));
        }
      }
      return came;
    };
    const { invoke } = window.__TAURI_INTERNALS__;
";

/// Runs a script to its end, however long it takes: a single call of the driver has a time limit.
pub async fn ask(app: &App, script: &str, argument: Value) -> Result<Value, Lost> {
    let begin = format!(
        "delete window.attacked;
         const argument = {argument};
         const done = (came) => {{ window.attacked = came; }};
         {COUNT}
         (async () => {{ {script} }})().catch((error) => done(`failed: ${{error}}`));"
    );
    app.run(&begin).await;
    let limit = Instant::now() + LONGEST;
    loop {
        // While the page copies hundreds of megabytes it does not answer the driver in time.
        let looked = app.driver().execute("return window.attacked ?? null", []);
        let answer = looked.await.map(|answer| answer.json().clone());
        match answer {
            Ok(Value::String(failed)) => return Err(failed),
            Ok(answer) if !answer.is_null() => return Ok(answer),
            Ok(_) if Instant::now() > limit => return Err("a script does not end".into()),
            Err(silent) if Instant::now() > limit => {
                return Err(format!("the page does not answer: {silent}"));
            }
            Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}
