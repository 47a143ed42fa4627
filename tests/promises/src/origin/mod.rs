//! Credentials never leave the origin.
//!
//! Every call that carries a password, a code, a token or a cookie is answered by every kind of
//! redirect to listeners on other hosts, ports and schemes; a session is started with profiles
//! that hold a mistake or name another origin; a provider of an origin of its own gets its forms, and
//! nothing of the backend's; and a child process with proxies in its environment
//! signs in past them and through them. Every listener that is not the backend counts what
//! arrives. A run is lost if anything arrives, or if the call was never made. First a control: a
//! client that follows redirects shows that the listeners notice a password.

pub mod actions;
mod control;
mod mistakes;
mod other_servers;
mod provider;
mod proxies;
mod redirects;

use std::sync::Arc;

use vestibule_backend::{Backend, Config};

use crate::pool::{self, Job};
use crate::registry::Setting;
use crate::report::Row;

/// Every call with some of the redirects; every mistake; every proxy.
pub async fn short(setting: &Setting) -> Row {
    run(setting, |row, column| (row + column).is_multiple_of(9)).await
}

/// Every call with every redirect.
pub async fn long(setting: &Setting) -> Row {
    run(setting, |_, _| true).await
}

async fn run(setting: &Setting, chosen: impl Fn(usize, usize) -> bool) -> Row {
    let backend = Backend::start(Config::default()).await;
    let backend = Arc::new(backend.expect("the bundled backend starts on a free port"));
    let job = |name: String, work| Job {
        name,
        slow: false,
        work,
    };
    let mut jobs = vec![job(
        "a client that follows".into(),
        Box::pin(control::run(backend.clone())),
    )];
    for (row, action) in actions::ALL.into_iter().enumerate() {
        for (column, way) in redirects::all().into_iter().enumerate() {
            if chosen(row, column) {
                let backend = backend.clone();
                jobs.push(job(
                    format!("{action:?} {way}"),
                    Box::pin(async move { redirects::run(&backend, action, &way).await }),
                ));
            }
        }
    }
    jobs.push(job(
        "a provider elsewhere".into(),
        Box::pin(provider::run()),
    ));
    for mistake in mistakes::ALL {
        let backend = backend.clone();
        let work = Box::pin(async move { mistakes::run(&backend, mistake).await });
        jobs.push(job(format!("{mistake:?}"), work));
    }
    for proxy in proxies::ALL {
        let (backend, setting) = (backend.clone(), setting.clone());
        let work = Box::pin(async move { proxies::run(&backend, &setting, proxy).await });
        jobs.push(job(format!("{proxy:?} in the environment"), work));
    }
    let (runs, losses) = pool::run("origin", setting, jobs).await;
    let (actions, ways) = (actions::ALL.len(), redirects::all().len());
    Row {
        what: format!(
            "{actions} calls × {ways} redirects, {} mistakes, {} proxies, a provider elsewhere",
            mistakes::ALL.len(),
            proxies::ALL.len()
        ),
        runs,
        losses,
        bound: "0 bytes elsewhere",
        holds: losses == 0,
    }
}
