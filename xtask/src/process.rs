//! Runs other programs to their end.
//!
//! Every wait also checks for signals, and ends the program before it returns. Programs that run in
//! the background are in `group`.

use std::ffi::OsStr;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome, said};
use crate::{console, process_group, process_tree, signals};

/// How long a child may take to end by itself after a signal asked this tool to stop.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// The output of a finished program and how it ended.
pub struct Captured {
    /// Whether it ended with success.
    pub ok: bool,
    /// The exit code, 1 if a signal ended it.
    pub code: i32,
    /// Standard output followed by standard error.
    pub text: String,
}

/// Runs a program on this terminal; an exit code other than 0 is a failure.
pub fn run(command: &mut Command) -> Outcome {
    let mut child = spawn(command)?;
    let status = wait(&mut child)?;
    judged(command, status)
}

/// Replaces this process by a program, so that a signal reaches only that program, which can take
/// its time to end. Returns only if the program cannot be started.
#[cfg(unix)]
pub fn become_it(command: &mut Command) -> Outcome {
    use std::os::unix::process::CommandExt as _;

    let error = command.exec();
    Err(not_started(command, &error))
}

/// Runs a program on this terminal. Ctrl-C reaches it directly, and ends this tool first.
#[cfg(not(unix))]
pub fn become_it(command: &mut Command) -> Outcome {
    run(command)
}

/// Runs a program, shows its standard output and calls `line` with each line.
pub fn stream_lines(command: &mut Command, mut line: impl FnMut(&str) + Send) -> Outcome {
    command.stdout(Stdio::piped());
    let mut child = spawn(command)?;
    let stdout = child.stdout.take();
    let status = thread::scope(|scope| {
        scope.spawn(move || {
            for text in stdout.into_iter().flat_map(lossy_lines) {
                console::pass_on(&text);
                line(&text);
            }
        });
        wait(&mut child)
    })?;
    judged(command, status)
}

/// Runs a program without showing its output.
pub fn capture(command: &mut Command) -> Outcome<Captured> {
    let mut child = spawn(
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped()),
    )?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let (status, text) = thread::scope(|scope| {
        let stdout = scope.spawn(move || read_all(stdout));
        let stderr = scope.spawn(move || read_all(stderr));
        let status = wait(&mut child);
        let mut text = stdout.join().unwrap_or_default();
        text.push_str(&stderr.join().unwrap_or_default());
        (status, text)
    });
    let status = status?;
    Ok(Captured {
        ok: status.success(),
        code: status.code().unwrap_or(1),
        text,
    })
}

/// Runs a program; shows its output only if it fails.
pub fn quiet(command: &mut Command) -> Outcome {
    let captured = capture(command)?;
    if captured.ok {
        return Ok(());
    }
    show(&captured.text);
    if is_network_failure(&captured.text) {
        return Err(said(format!(
            "No network: {} could not reach its package registry (its output is above). Connect and run this again.",
            name(command)
        )));
    }
    Err(Failure::Tool {
        name: name(command),
        code: captured.code,
    })
}

/// Prints a finished program's output on standard error.
pub fn show(text: &str) {
    let mut stderr = io::stderr().lock();
    let _ = writeln!(stderr, "{}", text.trim_end());
}

/// Whether a program's output says that it could not reach the network.
pub fn is_network_failure(text: &str) -> bool {
    const SIGNS: [&str; 13] = [
        "EAI_AGAIN",
        "ENOTFOUND",
        "ECONNREFUSED",
        "ENETUNREACH",
        "ETIMEDOUT",
        "ERR_SOCKET_TIMEOUT",
        "Temporary failure resolving",
        "Could not resolve",
        "Couldn't resolve host",
        "failed to resolve",
        "Network is unreachable",
        "spurious network error",
        "failed to download from",
    ];
    SIGNS.iter().any(|sign| text.contains(sign))
}

/// Starts a program; the error names it if it is missing.
pub fn spawn(command: &mut Command) -> Outcome<Child> {
    process_tree::mark(command);
    let spawned = command.spawn();
    spawned.map_err(|error| not_started(command, &error))
}

fn not_started(command: &Command, error: &io::Error) -> Failure {
    let name = name(command);
    said(match error.kind() {
        io::ErrorKind::NotFound => format!("`{name}` is not installed or not on the PATH"),
        _ => format!("could not start `{name}`: {error}"),
    })
}

/// The path of a program on the PATH.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names: &[String] = if cfg!(windows) {
        &[format!("{program}.exe"), format!("{program}.cmd")]
    } else {
        &[program.to_owned()]
    };
    std::env::split_paths(&path)
        .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
        .find(|file| file.is_file())
}

/// The name of `npm`; on Windows it is a script with an extension.
pub fn npm() -> &'static str {
    if cfg!(windows) { "npm.cmd" } else { "npm" }
}

/// The lines of a stream; bytes that are not UTF-8 are replaced.
pub fn lossy_lines(stream: impl Read) -> impl Iterator<Item = String> {
    BufReader::new(stream)
        .split(b'\n')
        .map_while(Result::ok)
        .map(|mut line| {
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            String::from_utf8_lossy(&line).into_owned()
        })
}

/// Waits for a program, and ends it if a signal asks this tool to end.
pub fn wait(child: &mut Child) -> Outcome<ExitStatus> {
    loop {
        if let Some(status) = child
            .try_wait()
            .map_err(crate::failure::io("waiting for a program"))?
        {
            // Ctrl+C reaches the child too, so this tool ends as interrupted, whatever exit code
            // the child chose.
            signals::check()?;
            return Ok(status);
        }
        if let Some(signal) = signals::seen() {
            end(child, signal);
            return Err(Failure::Interrupted(signal));
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Lets an interrupted child end by itself, then kills it.
fn end(child: &mut Child, signal: i32) {
    process_group::signal_one(child.id(), signal);
    let until = Instant::now() + STOP_TIMEOUT;
    while Instant::now() < until {
        if matches!(child.try_wait(), Ok(Some(_)) | Err(_)) {
            return;
        }
        thread::sleep(Duration::from_millis(20));
    }
    console::step("a program did not stop by itself; ending it");
    let _ = child.kill();
    let _ = child.wait();
}

fn judged(command: &Command, status: ExitStatus) -> Outcome {
    if status.success() {
        return Ok(());
    }
    Err(Failure::Tool {
        name: name(command),
        code: status.code().unwrap_or(1),
    })
}

fn read_all(stream: Option<impl Read>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        let _ = stream.read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_stem().unwrap_or(program.as_os_str());
    let mut words = command
        .get_args()
        .map(OsStr::to_string_lossy)
        .filter(|arg| !arg.starts_with('-') && !arg.contains('/'));
    let mut name = program.to_string_lossy().into_owned();
    if let Some(word) = words.next() {
        name = format!("{name} {word}");
    }
    // For `npm run`, the name of the script says more.
    if name.ends_with(" run")
        && let Some(script) = words.next()
    {
        name = format!("{name} {script}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_named_by_program_and_subcommand() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["--color", "clippy", "--workspace"]);
        assert_eq!(name(&command), "cargo clippy");
        assert_eq!(name(&Command::new("npm.cmd")), "npm");
        assert_eq!(
            name(Command::new("npm").args(["run", "--silent", "lint"])),
            "npm run lint"
        );
    }

    #[test]
    fn network_trouble_is_told_from_other_trouble() {
        assert!(is_network_failure("npm error code EAI_AGAIN"));
        assert!(is_network_failure(
            "W: Failed to fetch x  Temporary failure resolving 'deb'"
        ));
        assert!(is_network_failure(
            "warning: spurious network error (3 tries remaining)"
        ));
        assert!(!is_network_failure(
            "npm error code ERESOLVE could not resolve dependency tree"
        ));
        assert!(!is_network_failure("E: Unable to locate package libfoo"));
    }

    #[test]
    fn a_missing_program_is_named() {
        let failure = run(&mut Command::new("vestibule-no-such-program")).unwrap_err();
        assert!(
            failure.to_string().contains("vestibule-no-such-program"),
            "{failure}"
        );
    }

    #[cfg(unix)]
    #[test]
    fn captured_output_holds_both_streams_and_the_code() {
        let captured =
            capture(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"])).unwrap();
        assert!(!captured.ok);
        assert_eq!(captured.code, 3);
        assert_eq!(captured.text, "out\nerr\n");
    }

    #[cfg(unix)]
    #[test]
    fn followed_lines_arrive_in_order_and_without_line_ends() {
        let mut lines = Vec::new();
        stream_lines(
            Command::new("sh").args(["-c", "printf 'a\\nb\\r\\nc'"]),
            |line| {
                lines.push(line.to_owned());
            },
        )
        .unwrap();
        assert_eq!(lines, ["a", "b", "c"]);
    }
}
