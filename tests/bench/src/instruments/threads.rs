//! What the threads of an idle process do: how long they run and how often they wake up.

use std::collections::BTreeMap;
use std::fs;

use crate::registry::Outcome;

/// Linux counts in hundredths of a second everywhere (`USER_HZ`).
const TICKS_A_SECOND: f64 = 100.0;

/// What one thread has done since it began.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thread {
    /// Its name, of at most 15 characters.
    pub name: String,
    /// How long it has run, in seconds.
    pub ran: f64,
    /// How often it waited and was woken up: the kernel's count of voluntary context switches.
    pub woken: u64,
}

/// The threads of a process, by id.
pub type Threads = BTreeMap<u32, Thread>;

/// Reads the threads of a process.
///
/// # Errors
/// If the process does not run.
pub fn of(id: u32) -> Outcome<Threads> {
    let tasks = fs::read_dir(format!("/proc/{id}/task"));
    let tasks = tasks.map_err(|error| format!("the threads of the process {id}: {error}"))?;
    let threads = tasks.flatten().filter_map(|task| {
        let number = task.file_name().to_str()?.parse().ok()?;
        let stat = fs::read_to_string(task.path().join("stat")).ok()?;
        let status = fs::read_to_string(task.path().join("status")).ok()?;
        Some((number, thread(&stat, &status)?))
    });
    Ok(threads.collect())
}

/// What each thread has done between two reads. A thread that has ended is left out; a new one
/// counts from its beginning.
#[must_use]
pub fn between(before: &Threads, after: &Threads) -> Vec<Thread> {
    let since = |(number, now): (&u32, &Thread)| {
        let then = before.get(number).cloned().unwrap_or_default();
        Thread {
            name: now.name.clone(),
            ran: now.ran - then.ran,
            woken: now.woken.saturating_sub(then.woken),
        }
    };
    after.iter().map(since).collect()
}

fn thread(stat: &str, status: &str) -> Option<Thread> {
    let (head, rest) = stat.rsplit_once(") ")?;
    let (_, name) = head.split_once('(')?;
    let mut times = rest.split(' ').skip(11);
    let mut ticks = || times.next()?.parse::<f64>().ok();
    let ran = (ticks()? + ticks()?) / TICKS_A_SECOND;
    let field = "voluntary_ctxt_switches:";
    let woken = status.lines().find_map(|line| line.strip_prefix(field))?;
    Some(Thread {
        name: name.to_owned(),
        ran,
        woken: woken.trim().parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_lines_are_read_whatever_a_thread_is_called() {
        let stat = "7 (a) (b) S 1 7 7 0 -1 4194368 9 0 0 0 250 50 0 0 20 0 4 0 77 1 2";
        let status = "Name:\tx\nvoluntary_ctxt_switches:\t41\nnonvoluntary_ctxt_switches:\t9\n";
        let thread = thread(stat, status).unwrap();
        assert_eq!(
            (thread.name.as_str(), thread.ran, thread.woken),
            ("a) (b", 3.0, 41)
        );
    }

    /// The control: twenty wake-ups of a thread are counted, next to a thread that sleeps.
    #[test]
    fn a_thread_that_wakes_is_heard() {
        use std::sync::mpsc::{self, Receiver, Sender};

        let (ring, bell): (Sender<()>, Receiver<()>) = mpsc::channel();
        let (answer, answered) = mpsc::channel();
        let waker = std::thread::Builder::new().name("wakes".into());
        let waker = waker.spawn(move || {
            for () in bell {
                let _ = answer.send(());
            }
        });
        let (_held, never): (Sender<()>, Receiver<()>) = mpsc::channel();
        let sleeper = std::thread::Builder::new().name("sleeps".into());
        let _sleeper = sleeper.spawn(move || never.recv()).unwrap();
        let own = std::process::id();
        // A thread that is just starting is woken too.
        while !asleep(own, "sleeps") {
            std::thread::yield_now();
        }
        let before = of(own).unwrap();
        for _ in 0..20 {
            ring.send(()).unwrap();
            answered.recv().unwrap();
            // Wait until it sleeps again.
            while !asleep(own, "wakes") {
                std::thread::yield_now();
            }
        }
        let since = between(&before, &of(own).unwrap());
        let woken = |name: &str| {
            since
                .iter()
                .find(|thread| thread.name == name)
                .unwrap()
                .woken
        };
        assert!(woken("wakes") >= 20, "{since:?}");
        assert!(woken("sleeps") <= 1, "{since:?}");
        drop(ring);
        waker.unwrap().join().unwrap();
    }

    /// The control: a thread that runs for a tenth of a second is seen to.
    #[test]
    fn a_thread_that_runs_is_seen() {
        use rustix::time::{ClockId, clock_gettime};

        let (done, ran) = std::sync::mpsc::channel();
        let (_held, never) = std::sync::mpsc::channel::<()>();
        let own = std::process::id();
        let before = of(own).unwrap();
        let runner = std::thread::Builder::new().name("runs".into());
        let runner = runner.spawn(move || {
            while clock_gettime(ClockId::ThreadCPUTime).tv_nsec < 100_000_000 {
                std::hint::spin_loop();
            }
            let _ = done.send(());
            let _ = never.recv();
        });
        let _runner = runner.unwrap();
        ran.recv().unwrap();
        let since = between(&before, &of(own).unwrap());
        let runner = since.iter().find(|thread| thread.name == "runs").unwrap();
        assert!((0.08..0.2).contains(&runner.ran), "{since:?}");
    }

    fn asleep(id: u32, name: &str) -> bool {
        let tasks = fs::read_dir(format!("/proc/{id}/task")).unwrap().flatten();
        tasks.into_iter().any(|task| {
            let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
            stat.contains(&format!("({name}) S"))
        })
    }
}
