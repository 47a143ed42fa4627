//! Looks wherever a token could have got to, and keeps what was seen.

use std::fs;
use std::path::{Path, PathBuf};

use vestibule_acceptance::{App, Stage};

use super::memory;
use super::search::Search;
use crate::rig::Lost;
use crate::secrecy::needles::Form;

/// What tells tokens from everything else.
pub struct Marks {
    /// In front of every refresh token, and in the head of every access token.
    pub mark: String,
    /// That head, as it stands in the token.
    pub head: String,
}

/// Looks, and counts.
pub struct Watch<'a> {
    stage: &'a Stage,
    search: Search,
    /// What was seen, by the place.
    pub seen: Vec<String>,
    /// How often the memory was looked at.
    pub looks: u64,
    /// How much of it there was.
    pub bytes: u64,
    /// Messages between pages and the shell.
    pub messages: u64,
    /// What was left in the app's own memory after each sign-out.
    pub left: Vec<Left>,
}

/// Refresh tokens in the app's own memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// How many places hold one.
    pub copies: usize,
    /// How many different ones there are.
    pub tokens: usize,
}

/// What was said between the pages of a window and the shell.
pub struct Heard {
    /// Commands, each with its answer.
    pub commands: usize,
    /// Whatever the shell said without being asked.
    pub pushed: usize,
}

impl<'a> Watch<'a> {
    pub fn new(stage: &'a Stage, marks: &Marks) -> Self {
        Self {
            stage,
            search: Search::of(&[&marks.mark, &marks.head]),
            seen: Vec::new(),
            looks: 0,
            bytes: 0,
            messages: 0,
            left: Vec::new(),
        }
    }

    /// Looks at the memory of the window's processes and at all files.
    pub fn look(&mut self, screen: &str) -> Result<(), Lost> {
        let (seen, bytes) = in_webview(self.stage, &self.search)?;
        let seen = seen.into_iter().map(|(_, place)| place);
        let seen = seen.chain(in_files(self.stage, &self.search));
        let seen = seen.map(|place| format!("at {screen}: {place}"));
        self.seen.extend(seen);
        self.bytes += bytes;
        self.looks += 1;
        Ok(())
    }

    /// Looks at every message of this window so far, in which there was a session.
    pub async fn listen(&mut self, app: &App) -> Result<(), Lost> {
        let Heard { commands, pushed } = self.overhear(app).await?;
        if pushed == 0 {
            return Err(format!("{commands} commands, but no event was heard"));
        }
        self.messages += (2 * commands + pushed) as u64;
        Ok(())
    }

    /// Looks at every message of any window so far.
    pub async fn overhear(&mut self, app: &App) -> Result<Heard, Lost> {
        let record = app.record().await;
        let commands: usize = record.pages().map(|page| page.commands.len()).sum();
        let pushed: usize = record.pages().map(|page| page.pushed.len()).sum();
        if commands == 0 {
            return Err("no command was heard".into());
        }
        if record.pages().any(|page| page.cut > 0) {
            return Err("a message was not heard whole".into());
        }
        let seen = in_messages(app, &self.search).await;
        self.seen.extend(seen);
        Ok(Heard { commands, pushed })
    }

    /// Counts the refresh tokens that the app itself holds.
    pub fn own(&self) -> Result<Left, Lost> {
        let [process] = self.stage.desktop.processes(&vestibule_acceptance::app())[..] else {
            return Err("there is not one app".into());
        };
        let found = memory::search(process, &self.search).map_err(|error| error.to_string())?;
        let mut tokens: Vec<Vec<u8>> = Vec::new();
        for sighting in found.sightings {
            let width = 1 + usize::from(sighting.hit.look.wide);
            let token: Vec<u8> = sighting.after.iter().step_by(width).copied().collect();
            let end = token.iter().position(|byte| !byte.is_ascii_hexdigit());
            let token = token[..end.unwrap_or(token.len()).min(TOKEN)].to_vec();
            // In a head the mark is followed by a quotation mark.
            let raw = sighting.hit.look.form == Form::Raw;
            if sighting.hit.mark == 0 && raw && token.len() >= TOKEN / 4 {
                tokens.push(token);
            }
        }
        let copies = tokens.len();
        tokens.sort();
        tokens.dedup();
        let tokens = tokens.len();
        Ok(Left { copies, tokens })
    }
}

/// The length of a refresh token without its mark.
const TOKEN: usize = 64;

/// Where in the memory of the window's processes; and how much memory that was.
pub fn in_webview(
    stage: &Stage,
    search: &Search,
) -> Result<(Vec<(memory::Sighting, String)>, u64), Lost> {
    let (mut seen, mut bytes) = (Vec::new(), 0);
    let mut kinds = [("WebKitWebProcess", false), ("WebKitNetworkProcess", false)];
    for (process, program) in stage.desktop.running() {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        // The driver is no part of the app; whatever else the engine starts is.
        if !name.starts_with("WebKit") || name == "WebKitWebDriver" {
            continue;
        }
        let found = match memory::search(process, search) {
            Ok(found) => found,
            // A process that has ended meanwhile.
            Err(_) if !Path::new(&format!("/proc/{process}/exe")).exists() => continue,
            Err(error) => return Err(format!("{name} {process}: {error}")),
        };
        for (kind, there) in &mut kinds {
            *there |= name == *kind;
        }
        bytes += found.bytes;
        seen.extend(found.sightings.into_iter().map(|sighting| {
            let look = sighting.hit.look;
            let place = format!("{look:?} in {name} {process}, {}", sighting.place);
            (sighting, place)
        }));
    }
    match kinds.iter().find(|(_, there)| !there) {
        Some((missing, _)) => Err(format!("there is no {missing}")),
        None => Ok((seen, bytes)),
    }
}

/// Which files: all of the desktop's but the keyring's own, which are encrypted, and holding
/// tokens is what they are for; and the log.
pub fn in_files(stage: &Stage, search: &Search) -> Vec<String> {
    let mut seen = Vec::new();
    let mut look = |path: PathBuf| {
        let bytes = fs::read(&path).unwrap_or_default();
        let hits = search.hits(&bytes);
        seen.extend(hits.map(|hit| format!("{:?} in {}", hit.look, path.display())));
    };
    look(stage.log());
    let mut folders = vec![stage.desktop.home().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && entry.file_name() != "keyrings" => {
                    folders.push(entry.path());
                }
                Ok(kind) if kind.is_file() => look(entry.path()),
                _ => {}
            }
        }
    }
    seen
}

/// Which messages: commands, their headers, their answers, and whatever else the shell said.
pub async fn in_messages(app: &App, search: &Search) -> Vec<String> {
    let record = app.record().await;
    let mut seen = Vec::new();
    for page in record.pages() {
        let mut look = |what: &str, text: &str| {
            let hits = search.hits(text.as_bytes());
            seen.extend(hits.map(|hit| format!("{:?} in {what}", hit.look)));
        };
        for command in &page.commands {
            let name = &command.command;
            look(&format!("what {name} was given"), &command.request);
            look(
                &format!("the headers of {name}"),
                &format!("{:?}", command.asked),
            );
            look(&format!("the answer to {name}"), &command.answer);
            let headers = format!("{:?}", command.headers);
            look(&format!("the headers of the answer to {name}"), &headers);
        }
        for pushed in &page.pushed {
            look("an event", pushed);
        }
    }
    seen
}
