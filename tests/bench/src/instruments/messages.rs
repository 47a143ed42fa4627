//! Messages between a page and the shell: commands, and changes of the session that are sent to
//! it. Heard by the recorder of the tests, which runs before a page's own scripts.

use vestibule_acceptance::App;

/// What was said so far, in all pages of a window.
#[derive(Debug, Default, PartialEq)]
pub struct Messages {
    /// The commands that were answered, in that order.
    pub commands: Vec<String>,
    /// How many changes of the session came.
    pub changes: usize,
}

impl Messages {
    /// What the page that the driver looks at has said and heard.
    pub async fn so_far(app: &App) -> Self {
        let record = app.record().await;
        let commands = record.pages().flat_map(|page| &page.commands);
        Self {
            commands: commands.map(|answer| answer.command.clone()).collect(),
            changes: record.pages().map(|page| page.events.len()).sum(),
        }
    }

    /// What came since. Calls of the backend's API and public content are a page's own affair, and
    /// left out.
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
