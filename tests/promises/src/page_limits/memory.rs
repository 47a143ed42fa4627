//! How much memory a process uses, and its peak since a given moment.

use std::fs;
use std::process::{Command, Stdio};

use vestibule_harness::Lost;

use super::MEMORY_KIB;

/// What `process` uses now, in KiB; its peak is measured from here on.
pub fn begin(process: u32) -> Result<u64, Lost> {
    // proc(5): 5 resets the peak resident set size.
    let reset = fs::write(format!("/proc/{process}/clear_refs"), "5");
    reset.map_err(|error| format!("the peak of {process} cannot be reset: {error}"))?;
    figure(process, "status", "VmRSS:")
}

pub fn most(process: u32) -> Result<u64, Lost> {
    figure(process, "status", "VmHWM:")
}

/// What it uses, with its share of memory that several processes share.
pub fn share(process: u32) -> Result<u64, Lost> {
    figure(process, "smaps_rollup", "Pss:")
}

fn figure(process: u32, file: &str, name: &str) -> Result<u64, Lost> {
    let text = fs::read_to_string(format!("/proc/{process}/{file}"));
    let text = text.map_err(|error| format!("the memory of {process} cannot be read: {error}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| format!("{process} has no {name}"))
}

/// The control: the peak of a process that takes slightly more than the bound and frees it is seen.
pub fn sees_what_a_process_takes() -> Result<(), Lost> {
    let bytes = (MEMORY_KIB + 1024) * 1024;
    // The process prints a line when it has freed the memory.
    let script = format!("read go; v=$(head -c {bytes} /dev/zero | tr '\\0' x); v=; echo; read go");
    let mut child = Command::new("sh")
        .args(["-c", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("no shell: {error}"))?;
    let seen = (|| {
        use std::io::{Read as _, Write as _};
        let idle = begin(child.id())?;
        let mut go = child.stdin.take().ok_or("the process has no input")?;
        go.write_all(b"\n").map_err(|error| error.to_string())?;
        let mut done = child.stdout.take().ok_or("the process has no output")?;
        let heard = done.read_exact(&mut [0]);
        heard.map_err(|error| error.to_string())?;
        Ok(most(child.id())?.saturating_sub(idle))
    })();
    let _ = child.kill();
    let _ = child.wait();
    match seen {
        Ok(grown) if grown > MEMORY_KIB => Ok(()),
        Ok(grown) => Err(format!("{bytes} bytes were measured as {grown} KiB")),
        Err(lost) => Err(lost),
    }
}
