//! The memory of processes: their proportional share (PSS), in which a page that several processes
//! map counts for each in part.

use std::fs;

/// The PSS in bytes; `None` if the process has ended or may not be read.
#[must_use]
pub fn pss(process: u32) -> Option<u64> {
    let rollup = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).ok()?;
    let line = rollup.lines().find(|line| line.starts_with("Pss:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

/// A process and all processes that it has started, directly or not.
#[must_use]
pub fn tree(root: u32) -> Vec<u32> {
    let parents = parents();
    let mut found = vec![root];
    let mut next = 0;
    while let Some(parent) = found.get(next).copied() {
        next += 1;
        found.extend(
            parents
                .iter()
                .filter(|(_, of)| *of == parent)
                .map(|(child, _)| *child),
        );
    }
    found
}

/// Every process with its parent.
fn parents() -> Vec<(u32, u32)> {
    let Ok(all) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    all.flatten()
        .filter_map(|entry| {
            let id = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // After the name, which may contain anything, come the state and the parent.
            let (_, rest) = stat.rsplit_once(") ")?;
            let parent = rest.split(' ').nth(1)?.parse().ok()?;
            Some((id, parent))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_weighs_something_and_is_a_child() {
        let own = std::process::id();
        assert!(pss(own).unwrap() > 100_000);
        let parent = std::os::unix::process::parent_id();
        assert!(tree(parent).contains(&own));
        assert_eq!(pss(u32::MAX), None);
    }
}
