//! How long a page waits for the session: the facade's read, the hook in a render, and Better
//! Auth's refetch. The alternative is a web app, whose page asks its server, which asks the
//! backend.
//!
//! A page's clock shows whole milliseconds, so a sample is the mean of a batch.

use serde_json::{Value, json};
use vestibule_acceptance::{DEMO, PASSWORD, Stage};
use vestibule_backend::Config;

use crate::in_page::InPage;
use crate::registry::Outcome;
use crate::row::Row;
use crate::setting::Setting;
use crate::target::Target;
use crate::unit::Unit;
use crate::web::Web;

const ROUNDS: usize = 30;
/// Calls in a batch.
const READS: usize = 5_000;
const REFETCHES: usize = 5_000;
const RENDERS: usize = 100;
const HOOKS: usize = 50;
const WEB_READS: usize = 20;
/// How long a read may take, in milliseconds: it is answered inside the page.
const READ: f64 = 0.005;
const REFETCH: f64 = 0.1;

/// Measures all of them, in turns.
pub async fn measure(setting: &Setting) -> Outcome<Vec<Row>> {
    let stage = Stage::new("bench-reads", Config::default()).await;
    let page = InPage::signed_in(&stage, &[]).await?;
    let web = Web::start(&stage.desktop, &stage.backend.url()).await?;
    web_sign_in(&web).await?;
    let mut series: [Vec<f64>; 4] = Default::default();
    let [reads, hooks, refetches, asked] = &mut series;
    let mut requests = 0;
    let rounds = setting.rounds(ROUNDS);
    // The first round makes the engine compile the page's scripts.
    for round in 0..=rounds {
        let before = stage.backend.all_requests();
        let read = page.figures("getSession", json!([1, READS])).await?;
        let hook = page
            .figures("useSession", json!([1, RENDERS, HOOKS]))
            .await?;
        let refetch = page.figures("refetch", json!([1, REFETCHES])).await?;
        requests += stage.backend.all_requests() - before;
        let web = web_reads(&web).await?;
        if round > 0 {
            reads.extend(read);
            hooks.extend(hook);
            refetches.extend(refetch);
            asked.push(web);
        }
        setting.progress("rounds of reads", round, rounds);
    }
    let [reads, hooks, refetches, asked] = series;
    let row = |id: &str, figure: &str, name: &str, samples: Vec<f64>, most: f64| {
        Row::new(id, figure, Unit::Ms)
            .this(name, samples)
            .alternative("a web app's page: GET /api/session", asked.clone())
            .in_turns()
            .target(Target::AtMost(most))
            .count("requests to the backend in all rounds", requests as f64)
    };
    Ok(vec![
        row(
            "reads/get-session",
            "auth.getSession()",
            "in the page",
            reads,
            READ,
        ),
        row(
            "reads/use-session",
            "useSession(), in a render",
            "in the page",
            hooks,
            READ,
        ),
        row(
            "reads/refetch",
            "Better Auth's refetch",
            "useSession().refetch()",
            refetches,
            REFETCH,
        ),
    ])
}

async fn web_sign_in(web: &Web) -> Outcome<()> {
    let script = "
        const headers = { 'content-type': 'application/json' };
        const post = { method: 'POST', headers, body: JSON.stringify(argument) };
        const login = await fetch('/api/login', post);
        const refresh = await fetch('/api/refresh', { method: 'POST' });
        const { user } = await (await fetch('/api/session')).json();
        done([login.status, refresh.status, user.email]);";
    let said = web
        .run(script, json!({ "email": DEMO, "password": PASSWORD }))
        .await;
    match said == json!([200, 200, DEMO]) {
        true => Ok(()),
        false => Err(format!("the web arrangement does not sign in: {said}")),
    }
}

async fn web_reads(web: &Web) -> Outcome<f64> {
    let script = "
        const begun = performance.now();
        for (let nth = 0; nth < argument; nth++) {
          const answer = await fetch('/api/session');
          if (!(await answer.json())?.user) return done('nobody');
        }
        done((performance.now() - begun) / argument);";
    match web.run(script, json!(WEB_READS)).await {
        Value::Number(mean) => mean.as_f64().ok_or_else(|| format!("{mean} is no time")),
        other => Err(format!("the web arrangement reads {other}")),
    }
}
