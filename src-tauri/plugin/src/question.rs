//! Asks the person something in a window of the system's own, which no page can open, read or answer. A
//! script in a page can call every command that its page can; what it must not decide is asked here.

use tauri::{AppHandle, Manager as _};
use tokio::sync::oneshot;

/// A question with two answers.
pub struct Question {
    /// What would be done, as a question.
    pub title: String,
    /// What the person should know.
    pub text: String,
    /// The answer that lets it be done, as a verb.
    pub accept: &'static str,
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

    use gtk::prelude::{DialogExt as _, GtkWindowExt as _, MessageDialogExt as _, WidgetExt as _};
    use gtk::{ButtonsType, DialogFlags, MessageDialog, MessageType, ResponseType};
    use tauri::WebviewWindow;
    use tokio::sync::oneshot::Sender;

    use super::Question;

    pub fn ask(window: &WebviewWindow, question: Question, answer: Sender<bool>) {
        let parent = window.gtk_window().ok();
        let dialog = MessageDialog::new(
            parent.as_ref(),
            DialogFlags::MODAL | DialogFlags::DESTROY_WITH_PARENT,
            MessageType::Question,
            ButtonsType::None,
            &question.title,
        );
        dialog.set_title(&window.title().unwrap_or_default());
        dialog.set_secondary_text(Some(&question.text));
        dialog.add_button("Cancel", ResponseType::Cancel);
        dialog.add_button(question.accept, ResponseType::Accept);
        // A key that was meant for the page does not accept.
        dialog.set_default_response(ResponseType::Cancel);
        let answer = Cell::new(Some(answer));
        dialog.connect_response(move |dialog, response| {
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
        let buttons = MessageButtons::OkCancelCustom(accept.clone(), "Cancel".to_owned());
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
