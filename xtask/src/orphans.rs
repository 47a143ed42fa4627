//! The last look: on Linux, processes that outlived the program that started
//! them become ours, so that ending a command ends all it ever started.
//!
//! A process that made itself a session of its own is found as well, because
//! parentage, not process groups, is followed. Elsewhere this does nothing:
//! there process groups are all there is.

#[cfg(target_os = "linux")]
mod imp {
    use std::collections::HashMap;
    use std::fs;
    use std::thread;
    use std::time::{Duration, Instant};

    use rustix::process::{
        Pid, Signal, WaitOptions, getpid, kill_process, set_child_subreaper, wait,
    };

    const PATIENCE: Duration = Duration::from_secs(3);

    pub fn adopt() {
        // Refused only by kernels older than 3.4.
        let _ = set_child_subreaper(Some(getpid()));
    }

    pub fn end_all() {
        let asked = Instant::now();
        let mut signal = Signal::TERM;
        loop {
            while matches!(wait(WaitOptions::NOHANG), Ok(Some(_))) {}
            let left = descendants(getpid().as_raw_nonzero().get(), &parents());
            if left.is_empty() {
                return;
            }
            if asked.elapsed() > PATIENCE {
                if signal == Signal::KILL && asked.elapsed() > PATIENCE * 2 {
                    return;
                }
                signal = Signal::KILL;
            }
            for pid in left.into_iter().filter_map(Pid::from_raw) {
                let _ = kill_process(pid, signal);
            }
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// Each process and its parent.
    fn parents() -> HashMap<i32, i32> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        entries
            .filter_map(|entry| {
                let pid: i32 = entry.file_name().to_str()?.parse().ok()?;
                let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
                Some((pid, parent_of(&stat)?))
            })
            .collect()
    }

    /// The parent in a line of `/proc/PID/stat`; the name in it may hold
    /// anything, a closing parenthesis too.
    pub fn parent_of(stat: &str) -> Option<i32> {
        let (_, rest) = stat.rsplit_once(") ")?;
        rest.split(' ').nth(1)?.parse().ok()
    }

    pub fn descendants(of: i32, parents: &HashMap<i32, i32>) -> Vec<i32> {
        let mut found = vec![of];
        let mut next = 0;
        while next < found.len() {
            let parent = found[next];
            found.extend(
                parents
                    .iter()
                    .filter(|(_, p)| **p == parent)
                    .map(|(pid, _)| *pid),
            );
            next += 1;
        }
        found.split_off(1)
    }
}

#[cfg(not(target_os = "linux"))]
mod imp {
    pub fn adopt() {}

    pub fn end_all() {}
}

/// From now on, orphaned descendants become this process's children.
pub fn adopt() {
    imp::adopt();
}

/// Ends every descendant that is left. Call it when nothing is wanted any more.
pub fn end_all() {
    imp::end_all();
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::imp::*;
    use std::collections::HashMap;

    #[test]
    fn the_parent_is_read_behind_a_hostile_name() {
        assert_eq!(parent_of("12 (a) S) (b) S 7 12 12 0"), Some(7));
        assert_eq!(parent_of("garbage"), None);
    }

    #[test]
    fn descendants_are_found_at_every_depth_and_nobody_else() {
        let parents = HashMap::from([(2, 1), (3, 2), (4, 3), (9, 8), (1, 0)]);
        let mut found = descendants(2, &parents);
        found.sort_unstable();
        assert_eq!(found, [3, 4]);
    }
}
