//! Asks the person something in a window of the system's own, which no page can read or answer. A script in
//! a page can call every command that its page can; what it must not decide is asked here.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tauri::{AppHandle, Manager as _};
use tokio::sync::oneshot;
use vestibule_core::{AuthError, ErrorCode};

/// The pause after the first refusal.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// A question with two answers.
pub struct Question {
    /// What would be done, as a question.
    pub title: String,
    /// What the person should know.
    pub text: String,
    /// The answer that lets it be done, as a verb.
    pub accept: &'static str,
}

/// How often in a row the person has refused. Each refusal doubles the time until the next question, so that a
/// script cannot ask until somebody gives in.
#[derive(Default)]
pub struct Refusals(Mutex<Option<(u32, Instant)>>);

impl Refusals {
    /// Refuses a question that would come too soon.
    ///
    /// # Errors
    /// [`ErrorCode::Busy`], with the time to wait.
    pub fn wait(&self) -> Result<(), AuthError> {
        let Some((count, last)) = *self.lock() else {
            return Ok(());
        };
        let pause = FIRST_PAUSE.saturating_mul(1 << count.saturating_sub(1).min(10));
        let wait = pause.min(LONGEST_PAUSE).checked_sub(last.elapsed());
        match wait.filter(|wait| !wait.is_zero()) {
            None => Ok(()),
            Some(wait) => Err(AuthError::new(ErrorCode::Busy).retry_after(Some(wait))),
        }
    }

    /// Notes an answer.
    pub fn note(&self, is_accepted: bool) {
        let mut refusals = self.lock();
        let count = refusals.map_or(0, |(count, _)| count);
        *refusals = (!is_accepted).then(|| (count.saturating_add(1), Instant::now()));
    }

    fn lock(&self) -> MutexGuard<'_, Option<(u32, Instant)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the person accepts. Closing the question, or the window that it is about, refuses.
pub async fn is_accepted(app: &AppHandle, window: &str, question: Question) -> bool {
    let (answer, answered) = oneshot::channel();
    let (handle, label) = (app.clone(), window.to_owned());
    let asked = app.run_on_main_thread(move || match handle.get_webview_window(&label) {
        Some(window) => platform::ask(&window, question, answer),
        None => drop(answer),
    });
    if let Err(error) = asked {
        tracing::error!(%error, window, "a question could not be asked, so the answer is no");
        return false;
    }
    answered.await.unwrap_or(false)
}

#[cfg(target_os = "linux")]
mod platform {
    use std::cell::Cell;
    use std::time::{Duration, Instant};

    use gtk::prelude::{DialogExt as _, GtkWindowExt as _, MessageDialogExt as _, WidgetExt as _};
    use gtk::{ButtonsType, DialogFlags, MessageDialog, MessageType, ResponseType};
    use tauri::WebviewWindow;
    use tokio::sync::oneshot::Sender;

    use super::Question;

    /// How long a question is shown before it can be accepted.
    const ACCEPTABLE_AFTER: Duration = Duration::from_millis(700);

    pub fn ask(window: &WebviewWindow, question: Question, answer: Sender<bool>) {
        let parent = window.gtk_window().ok();
        let dialog = MessageDialog::new(
            parent.as_ref(),
            DialogFlags::MODAL | DialogFlags::DESTROY_WITH_PARENT,
            MessageType::Question,
            ButtonsType::None,
            &question.title,
        );
        dialog.set_title(&question.title);
        dialog.set_secondary_text(Some(&question.text));
        dialog.add_button("Cancel", ResponseType::Cancel);
        dialog.add_button(question.accept, ResponseType::Accept);
        // A key or a second click that was meant for the page does not accept.
        dialog.set_default_response(ResponseType::Cancel);
        let shown = Instant::now();
        let answer = Cell::new(Some(answer));
        dialog.connect_response(move |dialog, response| {
            if response == ResponseType::Accept && shown.elapsed() < ACCEPTABLE_AFTER {
                return;
            }
            if let Some(answer) = answer.take() {
                let _ = answer.send(response == ResponseType::Accept);
            }
            dialog.close();
        });
        dialog.show_all();
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use rfd::{AsyncMessageDialog, MessageButtons, MessageDialogResult, MessageLevel};
    use tauri::{WebviewWindow, async_runtime};
    use tokio::sync::oneshot::Sender;

    use super::Question;

    pub fn ask(window: &WebviewWindow, question: Question, answer: Sender<bool>) {
        let accept = question.accept.to_owned();
        // The first button is the one that a key chooses.
        let buttons = MessageButtons::OkCancelCustom("Cancel".to_owned(), accept.clone());
        let asking = AsyncMessageDialog::new()
            .set_parent(window)
            .set_level(MessageLevel::Warning)
            .set_title(question.title)
            .set_description(question.text)
            .set_buttons(buttons)
            .show();
        async_runtime::spawn(async move {
            let given = asking.await;
            let _ = answer.send(given == MessageDialogResult::Custom(accept));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_refusal_doubles_the_pause_and_an_acceptance_ends_it() {
        let refusals = Refusals::default();
        assert!(refusals.wait().is_ok(), "nobody has refused yet");
        let mut pauses = Vec::new();
        for _ in 0..3 {
            refusals.note(false);
            let busy = refusals.wait().expect_err("too soon");
            assert_eq!(busy.code, ErrorCode::Busy);
            pauses.push(busy.retry_after_ms.expect("a time").div_ceil(1_000));
        }
        assert_eq!(pauses, [1, 2, 4]);
        for _ in 0..100 {
            refusals.note(false);
        }
        let busy = refusals.wait().expect_err("too soon");
        assert!(busy.retry_after_ms.is_some_and(|wait| wait <= 300_000));
        refusals.note(true);
        assert!(refusals.wait().is_ok());
    }
}
