//! Key presses through the X server, so that the window's own menus and shortcuts receive them too.

use crate::desktop::Desktop;
use crate::wait::until;

/// The keyboard of a desktop.
pub struct Keyboard<'a>(&'a Desktop);

impl<'a> Keyboard<'a> {
    pub(crate) fn new(desktop: &'a Desktop) -> Self {
        Self(desktop)
    }

    /// Gives the keyboard focus to the newest visible window with this title. There is no window
    /// manager to do it.
    pub async fn focus(&self, title: &str) {
        until(&format!("a window titled {title:?}"), async || {
            let windows = self.windows(title)?;
            let newest = windows.last().ok_or("there is none")?;
            self.xdotool(&["windowfocus", "--sync", newest])?;
            Ok(())
        })
        .await;
    }

    /// The visible windows with this title or with one that ends in it, oldest first. A window's
    /// title is the page's title followed by the product's.
    pub fn windows(&self, title: &str) -> Result<Vec<String>, String> {
        let pattern = format!("(^| ){title}$");
        let found = self.xdotool(&["search", "--onlyvisible", "--name", &pattern])?;
        Ok(found.lines().map(str::to_owned).collect())
    }

    /// Presses keys one after the other, such as `ctrl+n` or `Tab`.
    pub fn press(&self, keys: &[&str]) {
        let mut arguments = vec!["key", "--clearmodifiers"];
        arguments.extend(keys);
        self.xdotool(&arguments).expect("xdotool presses keys");
    }

    /// Accepts a question of the app's with this title: it can be accepted a moment after it is shown.
    pub async fn accept(&self, title: &str) {
        self.focus(title).await;
        self.press(&["Tab"]);
        until(
            &format!("the question {title:?} to be accepted"),
            async || {
                if self.windows(title)?.is_empty() {
                    return Ok(());
                }
                self.press(&["Return"]);
                Err("it is still there".into())
            },
        )
        .await;
    }

    /// Types text.
    pub fn type_text(&self, text: &str) {
        self.xdotool(&["type", "--delay", "5", text])
            .expect("xdotool types");
    }

    fn xdotool(&self, arguments: &[&str]) -> Result<String, String> {
        xdotool(self.0, arguments)
    }
}

pub(crate) fn xdotool(desktop: &Desktop, arguments: &[&str]) -> Result<String, String> {
    let output = desktop.command("xdotool").args(arguments).output();
    let output = output.map_err(|error| format!("xdotool cannot be started: {error}"))?;
    // `xdotool` fails when a search finds nothing; here that is a valid answer.
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
