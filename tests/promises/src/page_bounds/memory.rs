//! How much memory a process has, and the most that it had since a moment.

use std::fs;
use std::process::{Command, Stdio};

use super::MEMORY_KIB;
use crate::rig::Lost;

/// What `process` has now; the most is counted from here on.
pub fn begin(process: u32) -> Result<u64, Lost> {
    // proc(5): 5 resets the peak resident set size.
    let reset = fs::write(format!("/proc/{process}/clear_refs"), "5");
    reset.map_err(|error| format!("the peak of {process} cannot be reset: {error}"))?;
    figure(process, "status", "VmRSS:")
}

/// The most that it had.
pub fn most(process: u32) -> Result<u64, Lost> {
    figure(process, "status", "VmHWM:")
}

/// What it has, with its share of what several have.
pub fn share(process: u32) -> Result<u64, Lost> {
    figure(process, "smaps_rollup", "Pss:")
}

fn figure(process: u32, file: &str, name: &str) -> Result<u64, Lost> {
    let text = fs::read_to_string(format!("/proc/{process}/{file}"));
    let text = text.map_err(|error| format!("{process} cannot be looked at: {error}"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| format!("{process} has no {name}"))
}

/// The control: a process that takes a little more than the bound for a moment, and gives it back.
pub fn sees_what_a_process_takes() -> Result<(), Lost> {
    let bytes = (MEMORY_KIB + 1024) * 1024;
    // Says a line before it begins and one when it has given all back.
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
        let mut go = child.stdin.take().ok_or("no way to speak to it")?;
        go.write_all(b"\n").map_err(|error| error.to_string())?;
        let mut done = child.stdout.take().ok_or("no way to hear it")?;
        let heard = done.read_exact(&mut [0]);
        heard.map_err(|error| error.to_string())?;
        Ok(most(child.id())?.saturating_sub(idle))
    })();
    let _ = child.kill();
    let _ = child.wait();
    match seen {
        Ok(grown) if grown > MEMORY_KIB => Ok(()),
        Ok(grown) => Err(format!("{bytes} bytes are seen as {grown} KiB")),
        Err(lost) => Err(lost),
    }
}
