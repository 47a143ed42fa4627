//! What `recorder.js` saw: everything that was ever in a page, every message between it and the
//! shell, and what the content security policy stopped.

use serde::Deserialize;

/// The script; runs before a page's own.
pub(crate) const SCRIPT: &str = include_str!("recorder.js");

/// One page load.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// Its address when it began.
    pub address: String,
    /// Every text and `aria-label` that was ever in it.
    pub texts: Vec<String>,
    /// Every `href` of a link.
    pub links: Vec<String>,
    /// The type of every input.
    pub fields: Vec<String>,
    /// Every command, in the order of the answers.
    pub commands: Vec<Answer>,
    /// Whatever else the shell said to a page, as JSON.
    pub pushed: Vec<String>,
    /// How many messages were too large to be kept whole.
    pub cut: usize,
    /// Every `session-changed`, as JSON.
    pub events: Vec<String>,
    /// What the policy stopped.
    pub violations: Vec<Violation>,
    /// Uncaught errors.
    pub errors: Vec<String>,
    /// What was drawn, up to the first frame that shows the app itself.
    pub frames: Vec<Frame>,
}

/// What a drawn frame of a page shows.
#[derive(Clone, Debug, Deserialize)]
pub struct Frame {
    /// The text that was laid out.
    pub text: String,
    /// Whether the app's header is there: before that, the look is to be neutral.
    pub whole: bool,
    /// Milliseconds since the page began.
    pub at: f64,
}

/// A command as the page gave it, and its answer as the page received it.
#[derive(Clone, Debug, Deserialize)]
pub struct Answer {
    /// Its name.
    pub command: String,
    /// What it was given.
    pub request: String,
    /// The headers of that.
    pub asked: Vec<(String, String)>,
    /// The answer's body.
    pub answer: String,
    /// The answer's headers.
    pub headers: Vec<(String, String)>,
}

/// Something that the content security policy stopped.
#[derive(Clone, Debug, Deserialize)]
pub struct Violation {
    /// The directive.
    pub directive: String,
    /// What was blocked.
    pub blocked: String,
    /// Where it came from.
    pub source: String,
}

/// The record of a window: its pages, oldest first.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct Record(pub Vec<Page>);

impl Record {
    /// The pages, oldest first.
    pub fn pages(&self) -> impl Iterator<Item = &Page> {
        self.0.iter()
    }

    /// The newest page.
    #[must_use]
    pub fn latest(&self) -> &Page {
        self.0.last().expect("a window has a page")
    }

    /// Everything that the policy stopped.
    pub fn violations(&self) -> impl Iterator<Item = &Violation> {
        self.pages().flat_map(|page| &page.violations)
    }

    /// The answers of one command.
    pub fn answers<'a>(&'a self, command: &'a str) -> impl Iterator<Item = &'a Answer> {
        self.pages()
            .flat_map(|page| &page.commands)
            .filter(move |answer| answer.command == command)
    }
}

impl Page {
    /// What a signed-in user must never be shown, if it was ever in this page: a link to a
    /// sign-in screen, the words on it, or a form that asks for a password.
    #[must_use]
    pub fn way_in(&self) -> Vec<String> {
        let links = self
            .links
            .iter()
            .filter(|href| href.contains("/auth/"))
            .map(|href| format!("a link to {href}"));
        let texts = self
            .texts
            .iter()
            .filter(|text| ["Sign in", "Create account", "Password"].contains(&text.as_str()))
            .map(|text| format!("the text {text:?}"));
        let fields = self
            .fields
            .iter()
            .filter(|kind| *kind == "password")
            .map(|kind| format!("a field of the type {kind}"));
        links.chain(texts).chain(fields).collect()
    }
}
