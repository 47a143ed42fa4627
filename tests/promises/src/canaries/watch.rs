//! Searches every place that a token could have reached, and records what was found.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use vestibule_acceptance::{App, Stage};
use vestibule_harness::Lost;

use super::memory;
use super::search::Search;
use crate::secrecy::needles::Form;

/// The texts by which a token is recognised.
pub struct Marks {
    /// The mark: in front of every refresh token, and in the header of every access token and ID token.
    pub mark: String,
    /// That header as it is encoded in the token.
    pub head: String,
}

/// Runs the searches, and counts them.
pub struct Watch<'a> {
    stage: &'a Stage,
    search: Search,
    marks: [String; 2],
    /// What only the app and the provider may know of the last sign-in outside of the app.
    of_sign_in: Vec<String>,
    /// Where tokens were found.
    pub seen: Vec<String>,
    /// How often the memory was searched.
    pub looks: u64,
    /// How many bytes of memory were searched.
    pub bytes: u64,
    /// How many messages between pages and the shell were searched.
    pub messages: u64,
    /// What was left in the app's own memory after each sign-out, and after each sign-in that came to
    /// nothing.
    pub left: Vec<Left>,
}

/// Refresh tokens, and secrets of a sign-in outside of the app, in the app's own memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Left {
    /// In how many places.
    pub copies: usize,
    /// How many different tokens.
    pub tokens: usize,
    /// How many different secrets of the last sign-in outside of the app.
    pub of_sign_in: usize,
}

/// How many messages passed between the pages of a window and the shell.
pub struct Heard {
    /// Commands, each with its answer.
    pub commands: usize,
    /// Events, which the shell sends unasked.
    pub pushed: usize,
}

impl<'a> Watch<'a> {
    pub fn new(stage: &'a Stage, marks: &Marks) -> Self {
        Self {
            stage,
            search: Search::of(&[&marks.mark, &marks.head]),
            marks: [marks.mark.clone(), marks.head.clone()],
            of_sign_in: Vec::new(),
            seen: Vec::new(),
            looks: 0,
            bytes: 0,
            messages: 0,
            left: Vec::new(),
        }
    }

    /// Another sign-in outside of the app begins: those of the one before are no longer searched for.
    pub fn forget_sign_in(&mut self) {
        self.of_sign_in.clear();
        self.search_again();
    }

    /// Searches for this secret of a sign-in outside of the app too, from now on.
    pub fn search_for(&mut self, secret: String) {
        self.of_sign_in.push(secret);
        self.search_again();
    }

    fn search_again(&mut self) {
        let all: Vec<&str> = self
            .marks
            .iter()
            .chain(&self.of_sign_in)
            .map(|it| &**it)
            .collect();
        self.search = Search::of(&all);
    }

    /// The control: the app's own memory holds every secret of the sign-in that goes on, and the search
    /// finds it there.
    pub fn finds_sign_in(&self) -> Result<(), Lost> {
        let (found, of) = (self.own()?.of_sign_in, self.of_sign_in.len());
        match found == of && of > 0 {
            true => Ok(()),
            false => Err(format!(
                "of {of} secrets of a sign-in that goes on, the search finds {found} in the app's own memory"
            )),
        }
    }

    /// Searches the memory of the window's processes and all files.
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

    /// Searches every message of this window so far. There must have been a session, thus events.
    pub async fn listen(&mut self, app: &App) -> Result<(), Lost> {
        let Heard { commands, pushed } = self.overhear(app).await?;
        if pushed == 0 {
            return Err(format!("{commands} commands were recorded, but no event"));
        }
        self.messages += (2 * commands + pushed) as u64;
        Ok(())
    }

    /// Searches every message of this window so far.
    pub async fn overhear(&mut self, app: &App) -> Result<Heard, Lost> {
        let record = app.record().await;
        let commands: usize = record.pages().map(|page| page.commands.len()).sum();
        let pushed: usize = record.pages().map(|page| page.pushed.len()).sum();
        if commands == 0 {
            return Err("no command was recorded".into());
        }
        if record.pages().any(|page| page.cut > 0) {
            return Err("a message was not recorded completely".into());
        }
        let seen = in_messages(app, &self.search).await;
        self.seen.extend(seen);
        Ok(Heard { commands, pushed })
    }

    /// Counts the refresh tokens, and the secrets of the last sign-in, in the app's own memory.
    pub fn own(&self) -> Result<Left, Lost> {
        let process = app_process(self.stage)?;
        let found = memory::search(process, &self.search).map_err(|error| error.to_string())?;
        let mut tokens: Vec<Vec<u8>> = Vec::new();
        let mut of_sign_in = BTreeSet::new();
        let mut copies = 0;
        for sighting in found.sightings {
            let width = 1 + usize::from(sighting.hit.look.wide);
            let token: Vec<u8> = sighting.after.iter().step_by(width).copied().collect();
            let end = token.iter().position(|byte| !byte.is_ascii_hexdigit());
            let token = token[..end.unwrap_or(token.len()).min(TOKEN)].to_vec();
            // In a token's header the mark is followed by a quotation mark.
            let raw = sighting.hit.look.form == Form::Raw;
            if sighting.hit.mark == 0 && raw && token.len() >= TOKEN / 4 {
                tokens.push(token);
                copies += 1;
            } else if sighting.hit.mark >= self.marks.len() {
                of_sign_in.insert(sighting.hit.mark);
                copies += 1;
            }
        }
        tokens.sort();
        tokens.dedup();
        Ok(Left {
            copies,
            tokens: tokens.len(),
            of_sign_in: of_sign_in.len(),
        })
    }
}

/// The app's own process.
pub fn app_process(stage: &Stage) -> Result<u32, Lost> {
    match stage.desktop.processes(&vestibule_acceptance::app())[..] {
        [process] => Ok(process),
        _ => Err("there is not exactly one process of the app".into()),
    }
}

/// The length of a refresh token without its mark.
const TOKEN: usize = 64;

/// Where tokens are in the memory of the window's processes, and how much memory was searched.
pub fn in_webview(
    stage: &Stage,
    search: &Search,
) -> Result<(Vec<(memory::Sighting, String)>, u64), Lost> {
    let (mut seen, mut bytes) = (Vec::new(), 0);
    let mut kinds = [("WebKitWebProcess", false), ("WebKitNetworkProcess", false)];
    for (process, program) in stage.desktop.running() {
        let name = program.file_name().unwrap_or_default().to_string_lossy();
        // The driver is not part of the app; every other process of the engine is.
        if !name.starts_with("WebKit") || name == "WebKitWebDriver" {
            continue;
        }
        let found = match memory::search(process, search) {
            Ok(found) => found,
            // The process has ended meanwhile.
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

/// The files that hold tokens: the log and all files of the desktop, except the keyring's own,
/// which are encrypted and are meant to hold tokens.
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

/// The messages that hold tokens: commands, their headers, their answers, and events.
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
