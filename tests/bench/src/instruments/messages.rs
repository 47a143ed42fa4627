//! Counts messages between a page and the shell: commands, and changes of the session that are sent
//! to the page. Uses the recorder of the tests, which runs before a page's own scripts.

use serde_json::Value;
use vestibule_acceptance::{App, Page};

/// The messages so far, in all pages of a window.
#[derive(Debug, Default, PartialEq)]
pub struct Messages {
    /// The commands that were answered, in that order.
    pub commands: Vec<String>,
    /// How many changes of the session came.
    pub changes: usize,
}

impl Messages {
    /// The messages of the window's page so far.
    pub async fn so_far(app: &App) -> Self {
        let record = app.record().await;
        let commands = record.pages().flat_map(|page| &page.commands);
        Self {
            commands: commands.map(|answer| answer.command.clone()).collect(),
            changes: record.pages().map(changes).sum(),
        }
    }

    /// The messages since then, without calls of the backend's API and of public content, which
    /// each page makes for itself.
    #[must_use]
    pub fn since(&self, before: &Self) -> Self {
        let is_session =
            |name: &&String| !name.starts_with("backend_") && !name.starts_with("plugin:http");
        let new = self.commands.iter().skip(before.commands.len());
        Self {
            commands: new.filter(is_session).cloned().collect(),
            changes: self.changes - before.changes,
        }
    }
}

/// How many changes of the session a page was sent. The list of accounts comes the same way.
fn changes(page: &Page) -> usize {
    let is_session = |sent: &&String| {
        let sent: Value = serde_json::from_str(sent).unwrap_or_default();
        sent.get("state").is_some()
    };
    page.events.iter().filter(is_session).count()
}
