//! The log's files, bounded in size and number and readable for this user alone.
//!
//! One process at a time writes them. The lines of another wait, up to a bound, and are written if the
//! first process ends. Lines that cannot be written are dropped, because a full disk must not stop the
//! app.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

const NAME: &str = "vestibule";
/// The file that the writing process locks. It is not a log file, since those are renamed.
const LOCK: &str = "vestibule.lock";

/// How much of the log is kept.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The largest size of a file.
    pub bytes: u64,
    /// The largest number of files.
    pub files: usize,
    /// The longest line. A longer one is cut off.
    pub line: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            bytes: 2 * 1024 * 1024,
            files: 5,
            line: 16 * 1024,
        }
    }
}

/// A log file that is renamed and replaced by a new one when it is full.
#[derive(Clone)]
pub(crate) struct Rolling(Arc<Mutex<State>>);

struct State {
    bounds: Bounds,
    folder: Option<PathBuf>,
    /// Held while this process writes.
    lock: Option<File>,
    file: Option<File>,
    written: u64,
    /// The lines that were logged while there was no file to write to.
    waiting: Vec<u8>,
}

impl Rolling {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self(Arc::new(Mutex::new(State {
            bounds,
            folder: None,
            lock: None,
            file: None,
            written: 0,
            waiting: Vec::new(),
        })))
    }

    /// Opens the file in `folder`, appends to what the last run wrote, and writes the waiting
    /// lines.
    ///
    /// # Errors
    /// If the file cannot be opened, or another process writes it. Each further line tries again.
    pub(crate) fn open(&self, folder: &Path) -> io::Result<()> {
        make_private_folder(folder)?;
        let mut state = self.state();
        state.folder = Some(folder.to_owned());
        state.ready()
    }

    /// Appends the waiting lines to a file that another process may be writing. It uses a single
    /// write, which the system does not mix with those of others, and does not replace the file.
    pub(crate) fn append_to_owners_log(&self, folder: &Path) -> io::Result<()> {
        make_private_folder(folder)?;
        let mut state = self.state();
        let path = folder.join(file_name(0));
        let mut file = private_file().append(true).create(true).open(path)?;
        make_private(&file)?;
        file.write_all(&state.waiting)?;
        state.waiting.clear();
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Writes one line, or all lines that waited.
    fn write_line(&mut self, line: &[u8]) -> io::Result<()> {
        let length = u64::try_from(line.len()).unwrap_or(u64::MAX);
        if self.written > 0 && self.written.saturating_add(length) > self.bounds.bytes {
            self.roll()?;
        }
        if let Some(file) = &mut self.file {
            file.write_all(line)?;
            self.written += length;
        }
        Ok(())
    }

    /// Opens the file if it is not open, and writes the waiting lines to it.
    fn ready(&mut self) -> io::Result<()> {
        if self.file.is_some() {
            return Ok(());
        }
        self.take_lock()?;
        self.reopen()?;
        let waiting = std::mem::take(&mut self.waiting);
        self.write_line(&waiting)
    }

    /// Takes the lock, so that no other process writes the file. Where a disk has no locks, nothing
    /// tells two processes apart.
    fn take_lock(&mut self) -> io::Result<()> {
        if self.lock.is_some() {
            return Ok(());
        }
        let folder = self.folder.as_ref().ok_or(io::ErrorKind::NotFound)?;
        let lock = private_file()
            .write(true)
            .create(true)
            .truncate(false)
            .open(folder.join(LOCK))?;
        if let Err(TryLockError::WouldBlock) = lock.try_lock() {
            let words = "another process of the app writes the log there";
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, words));
        }
        self.lock = Some(lock);
        Ok(())
    }

    fn reopen(&mut self) -> io::Result<()> {
        let path = self.path(0)?;
        let file = private_file().append(true).create(true).open(path)?;
        make_private(&file)?;
        self.written = file.metadata()?.len();
        self.file = Some(file);
        Ok(())
    }

    /// Renames `vestibule.log` to `vestibule.1.log`, `vestibule.1.log` to `vestibule.2.log`, and so
    /// on. The oldest file is overwritten.
    fn roll(&mut self) -> io::Result<()> {
        // Closed first, because some systems cannot rename an open file.
        self.file = None;
        for age in (1..self.bounds.files).rev() {
            let (younger, older) = (self.path(age - 1)?, self.path(age)?);
            if younger.exists() {
                fs::rename(younger, older)?;
            }
        }
        if self.bounds.files < 2 {
            fs::remove_file(self.path(0)?)?;
        }
        self.reopen()
    }

    fn path(&self, age: usize) -> io::Result<PathBuf> {
        let folder = self.folder.as_ref().ok_or(io::ErrorKind::NotFound)?;
        Ok(folder.join(file_name(age)))
    }
}

fn file_name(age: usize) -> String {
    match age {
        0 => format!("{NAME}.log"),
        age => format!("{NAME}.{age}.log"),
    }
}

impl Write for Rolling {
    /// The subscriber writes a whole line at a time.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.state();
        let kept = cut(bytes, state.bounds.line);
        if state.ready().is_ok() {
            let _ = state.write_line(&kept);
        } else if state.waiting.len() + kept.len() <= 4 * state.bounds.line {
            state.waiting.extend_from_slice(&kept);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Rolling {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

/// The first `most` bytes of a line at most, with a line break at the end.
fn cut(line: &[u8], most: usize) -> std::borrow::Cow<'_, [u8]> {
    if line.len() <= most {
        return line.into();
    }
    let text = String::from_utf8_lossy(line);
    let mut end = most.saturating_sub("…\n".len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…\n", &text[..end]).into_bytes().into()
}

#[cfg(unix)]
fn private_file() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.mode(0o600);
    options
}

#[cfg(not(unix))]
fn private_file() -> OpenOptions {
    OpenOptions::new()
}

/// Restricts a file to this user. Its permissions may have been widened since an earlier run.
#[cfg(unix)]
fn make_private(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn make_private(_file: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn make_private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::create_dir_all(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

/// The folder is below the user's own profile, which other users cannot read.
#[cfg(not(unix))]
fn make_private_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Bounds = Bounds {
        bytes: 1000,
        files: 3,
        line: 200,
    };

    fn line(number: usize) -> String {
        format!("line {number:>4} {}\n", "x".repeat(88))
    }

    fn files(folder: &Path) -> Vec<(String, String)> {
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let name = entry.file_name().into_string().unwrap();
                (name, fs::read_to_string(entry.path()).unwrap())
            })
            .filter(|(name, _)| name != LOCK)
            .collect();
        files.sort();
        files
    }

    #[test]
    fn files_are_bounded_in_size_and_number_and_the_newest_lines_stay() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Rolling::new(SMALL);
        log.open(folder.path()).unwrap();
        for number in 0..95 {
            log.write_all(line(number).as_bytes()).unwrap();
        }
        let files = files(folder.path());
        let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["vestibule.1.log", "vestibule.2.log", "vestibule.log"]
        );
        for (name, text) in &files {
            assert!(text.len() <= 1000, "{name} has {}", text.len());
        }
        let kept = format!("{}{}{}", files[1].1, files[0].1, files[2].1);
        let wanted: String = (95 - kept.lines().count()..95).map(line).collect();
        assert_eq!(kept, wanted, "in order, and without a gap");
        assert!(kept.lines().count() > 18, "{}", kept.lines().count());
    }

    #[test]
    fn what_was_said_before_there_was_a_folder_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let mut log = Rolling::new(SMALL);
        log.write_all(b"early\n").unwrap();
        for number in 0..100 {
            log.write_all(line(number).as_bytes()).unwrap();
        }
        log.open(folder.path()).unwrap();
        log.write_all(b"late\n").unwrap();
        let text: String = files(folder.path())
            .into_iter()
            .map(|(_, text)| text)
            .collect();
        assert!(text.starts_with("early\n"), "{text}");
        assert!(text.ends_with("late\n"), "{text}");
        assert!(text.len() < 1000, "the wait is bounded: {}", text.len());
    }

    #[test]
    fn a_word_is_left_once_in_a_log_that_is_another_processs() {
        let folder = tempfile::tempdir().unwrap();
        let (mut owner, mut other) = (Rolling::new(SMALL), Rolling::new(SMALL));
        owner.open(folder.path()).unwrap();
        owner.write_all(b"owner\n").unwrap();
        other.write_all(b"other\n").unwrap();
        other.append_to_owners_log(folder.path()).unwrap();
        other.append_to_owners_log(folder.path()).unwrap();
        owner.write_all(b"owner again\n").unwrap();
        let read = || files(folder.path())[0].1.clone();
        assert_eq!(read(), "owner\nother\nowner again\n");
        // Once the log belongs to it, it writes the lines that still wait, and none twice.
        other.write_all(b"waiting\n").unwrap();
        assert!(!read().contains("waiting"), "not its log yet");
        drop(owner);
        other.open(folder.path()).unwrap();
        assert_eq!(read(), "owner\nother\nowner again\nwaiting\n");
    }

    #[test]
    fn one_process_at_a_time_writes_and_the_other_goes_on_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let (mut first, mut second) = (Rolling::new(SMALL), Rolling::new(SMALL));
        first.open(folder.path()).unwrap();
        let error = second.open(folder.path()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ResourceBusy);
        first.write_all(b"first\n").unwrap();
        for number in 0..100 {
            second.write_all(line(number).as_bytes()).unwrap();
        }
        let read = || {
            files(folder.path())
                .into_iter()
                .map(|(_, text)| text)
                .collect::<String>()
        };
        assert_eq!(read(), "first\n");
        drop(first);
        second.write_all(b"last\n").unwrap();
        let text = read();
        assert!(text.starts_with("first\nline    0 "), "{text}");
        assert!(text.ends_with("last\n"), "{text}");
        assert!(text.len() < 1000, "what waits is bounded: {}", text.len());
    }

    #[test]
    fn a_new_run_goes_on_in_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        for run in ["first\n", "second\n"] {
            let mut log = Rolling::new(SMALL);
            log.open(folder.path()).unwrap();
            log.write_all(run.as_bytes()).unwrap();
        }
        assert_eq!(files(folder.path())[0].1, "first\nsecond\n");
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let long = "ä".repeat(150);
        for most in 190..=210 {
            let kept = cut(long.as_bytes(), most);
            let text = String::from_utf8(kept.into_owned()).unwrap();
            assert!(text.len() <= most && text.ends_with("ä…\n"), "{text}");
        }
        assert_eq!(&*cut(b"short\n", 6), b"short\n");
    }

    /// Windows does not delete a folder in which a file is open.
    #[cfg(unix)]
    #[test]
    fn a_folder_that_went_away_stops_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("logs");
        let mut log = Rolling::new(SMALL);
        log.open(&place).unwrap();
        fs::remove_dir_all(&place).unwrap();
        for number in 0..30 {
            log.write_all(line(number).as_bytes()).unwrap();
        }
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_can_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("logs");
        fs::create_dir(&place).unwrap();
        fs::set_permissions(&place, fs::Permissions::from_mode(0o755)).unwrap();
        let old = place.join("vestibule.log");
        fs::write(&old, "wide open\n").unwrap();
        fs::set_permissions(&old, fs::Permissions::from_mode(0o644)).unwrap();
        let mut log = Rolling::new(SMALL);
        log.open(&place).unwrap();
        for number in 0..30 {
            log.write_all(line(number).as_bytes()).unwrap();
        }
        assert_eq!(mode(&place), 0o700);
        for (name, _) in files(&place) {
            assert_eq!(mode(&place.join(&name)), 0o600, "{name}");
        }
    }
}
