//! What `recorder.js` collected: everything that was ever in a page, every message between it and
//! the shell, and what the content security policy blocked.

use serde::Deserialize;

/// The recorder; runs before a page's own scripts.
pub(crate) const SCRIPT: &str = include_str!("recorder.js");

/// One page load.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Page {
    /// The page's address when the load began.
    pub address: String,
    /// Every text and `aria-label` that was ever in the page.
    pub texts: Vec<String>,
    /// The `href` of every link.
    pub links: Vec<String>,
    /// The `type` of every input.
    pub fields: Vec<String>,
    /// Every command, in the order of the answers.
    pub commands: Vec<Answer>,
    /// Every message that the shell sent unasked, as JSON.
    pub pushed: Vec<String>,
    /// How many messages were too large and were kept only in part.
    pub cut: usize,
    /// Every change of the session that was sent to the page, as JSON.
    pub events: Vec<String>,
    /// What the content security policy blocked.
    pub violations: Vec<Violation>,
    /// Uncaught errors.
    pub errors: Vec<String>,
    /// The frames drawn, up to the first one that shows the app itself.
    pub frames: Vec<Frame>,
}

/// A frame that was drawn.
#[derive(Clone, Debug, Deserialize)]
pub struct Frame {
    /// The rendered text.
    pub text: String,
    /// Whether the app's header is there. Frames before that must be neutral.
    pub whole: bool,
    /// Milliseconds since the load began.
    pub at: f64,
}

/// A command as the page sent it, and its answer as the page received it.
#[derive(Clone, Debug, Deserialize)]
pub struct Answer {
    /// The command's name.
    pub command: String,
    /// The body of the request.
    pub request: String,
    /// The headers of the request.
    pub asked: Vec<(String, String)>,
    /// The body of the answer.
    pub answer: String,
    /// The headers of the answer.
    pub headers: Vec<(String, String)>,
}

/// Something that the content security policy blocked.
#[derive(Clone, Debug, Deserialize)]
pub struct Violation {
    /// The directive that applied.
    pub directive: String,
    /// The blocked address or kind of code.
    pub blocked: String,
    /// The file that tried it.
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

    /// The answers to one command.
    pub fn answers<'a>(&'a self, command: &'a str) -> impl Iterator<Item = &'a Answer> {
        self.pages()
            .flat_map(|page| &page.commands)
            .filter(move |answer| answer.command == command)
    }
}

impl Page {
    /// What a signed-in user must never see, if it was ever in this page: a link to a sign-in
    /// screen, the words on it, or a form that asks for a password.
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
