//! Links of the app's own scheme, opened by anything on this computer: `app:/join?workspace=…`, and the
//! addresses by which the browser comes back to a sign-in.
//!
//! A link starts the app with the link as its argument. A second launch hands it over to the process that
//! owns the windows ([`crate::single_instance`]); macOS tells the app by an event; where nothing is
//! registered a person pastes it. Any web page and any program can open one, so a link does nothing by
//! itself but end a sign-in that waits for it and that only its own `state` fits. Everything else becomes a
//! notice for the page of one window, which shows what would be done and waits for a click. A page that
//! somebody works in is not left for it.
//!
//! A link may hold a secret, if only one that works once: other users of a computer can read the arguments
//! of its processes. So the log has the kind of a link, never the link.

mod notices;
mod registration;
mod scheme;

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tauri::ipc::Channel;
use tauri::{AppHandle, Manager as _, async_runtime};
use vestibule_core::deep_links::{self, Route, Scheme};
use vestibule_core::profile::ProfileError;
use vestibule_core::single_instance::Arguments;
use vestibule_core::wire::{LinkNotices, LinkSubject, OpenedLink};
use vestibule_core::{AuthError, ErrorCode};

use crate::accounts::{AppAccounts, product_name};
use crate::browser_sign_ins::BrowserSignIns;
use crate::window_channels::{self, WindowChannels};
use crate::windows;

use self::notices::Notices;

/// The most links that wait to be read.
const MOST: usize = notices::MOST;

/// The links of this app: its scheme, those that have arrived, and what they ask.
#[derive(Default)]
pub struct DeepLinks {
    /// An app without a scheme has no links.
    scheme: Option<Scheme>,
    arrived: Mutex<VecDeque<Vec<u8>>>,
    notices: Mutex<Notices>,
    channels: WindowChannels<(), LinkNotices>,
}

impl DeepLinks {
    /// The links of an app with this configuration.
    ///
    /// # Errors
    /// If it names a scheme that the app cannot have.
    pub fn configured(config: &tauri::Config) -> Result<Self, ProfileError> {
        Ok(Self {
            scheme: scheme::configured(config)?,
            ..Self::default()
        })
    }

    /// The scheme without its colon.
    pub fn scheme(&self) -> Option<&str> {
        self.scheme.as_ref().map(Scheme::name)
    }

    /// The links among the arguments of this process.
    pub fn of_this_process(&self) -> Arguments {
        let given = std::env::args_os().skip(1);
        Arguments::new(given.filter(|argument| {
            let scheme = self.scheme.as_ref();
            scheme.is_some_and(|it| it.strip(argument.as_encoded_bytes()).is_some())
        }))
    }

    /// What waits for the page of a window. Later changes go to `changes`.
    pub fn notices_for(&self, window: &str, changes: Option<Channel<LinkNotices>>) -> LinkNotices {
        // Held meanwhile, so that no change comes between the answer and the channel.
        let notices = lock(&self.notices);
        if let Some(changes) = changes {
            self.channels.open(window, (), changes);
        }
        notices.of(window)
    }

    /// The page of a window shows this notice now.
    pub fn take(&self, window: &str, id: u32) {
        lock(&self.notices).take(window, id);
    }

    /// The window has left its page.
    pub fn page_left(&self, window: &str) {
        self.channels.close(window);
    }

    /// The window is gone.
    pub fn window_closed(&self, window: &str) {
        lock(&self.notices).window_closed(window);
    }

    fn notify(&self, window: &str, about: LinkSubject) {
        let mut notices = lock(&self.notices);
        if notices.add(window, about) {
            let due = self.channels.due(Some(window), &(), &notices.of(window));
            window_channels::send_now(due);
        } else {
            tracing::warn!(
                "more links have come than anybody has looked at; the last one is dropped"
            );
        }
    }

    /// Keeps links until the main thread reads them.
    fn keep(&self, links: Arguments) {
        let mut arrived = lock(&self.arrived);
        let mut links = links.into_iter();
        let room = MOST.saturating_sub(arrived.len());
        arrived.extend(links.by_ref().take(room));
        let dropped = links.count();
        if dropped > 0 {
            tracing::warn!(
                dropped,
                "more links have come than the app takes at once; the last are dropped"
            );
        }
    }
}

/// Registers a debug build's scheme, and opens the links that this process was started with. Called by the
/// process that owns the windows.
pub fn start(app: &AppHandle) {
    let links = app.state::<DeepLinks>();
    if let Some(scheme) = &links.scheme {
        registration::register(app, scheme);
    }
    links.keep(links.of_this_process());
    // Its window comes to the front by itself, once its page is there.
    later(app, |app| open_arrived(app, windows::MAIN));
}

/// Another launch has handed these links over, or the system has told of them.
pub fn arrived(app: &AppHandle, links: Arguments) {
    app.state::<DeepLinks>().keep(links);
    later(app, |app| {
        let window = windows::focus_any(app);
        open_arrived(app, &window);
    });
}

/// Does it on the main thread, since only that may touch windows, and not in this turn, in which locks may
/// be held.
fn later(app: &AppHandle, work: impl FnOnce(&AppHandle) + Send + 'static) {
    let app = app.clone();
    async_runtime::spawn(async move {
        let handle = app.clone();
        // An app that is ending drops the task.
        let _ = app.run_on_main_thread(move || work(&handle));
    });
}

/// Opens all that have arrived, in their order; what is to be said goes to `window`.
fn open_arrived(app: &AppHandle, window: &str) {
    let links = app.state::<DeepLinks>();
    let arrived = std::mem::take(&mut *lock(&links.arrived));
    for link in arrived {
        match open(app, &link) {
            Ok(OpenedLink::SignIn) => {}
            Ok(OpenedLink::Join { address }) => {
                links.notify(window, LinkSubject::Join { address });
            }
            Err(error) => {
                let error = error.into();
                links.notify(window, LinkSubject::Refused { error });
            }
        }
    }
}

/// Reads a link, and hands it to the sign-in that it leads back to. Nothing else is done with it here.
///
/// # Errors
/// If it is not one of this app, or what it is for is over: the error says which, and does not hold it.
pub fn open(app: &AppHandle, link: &[u8]) -> Result<OpenedLink, AuthError> {
    let links = app.state::<DeepLinks>();
    let Some(scheme) = &links.scheme else {
        let words = "This app opens no links.";
        return Err(AuthError::with_message(ErrorCode::Unsupported, words));
    };
    let route = deep_links::read(link, scheme).map_err(|fault| {
        tracing::warn!(?fault, "a link is not one of this app and was ignored");
        let words = format!("This link is not one that {} knows.", product_name(app));
        AuthError::with_message(ErrorCode::InvalidInput, words)
    })?;
    let accounts = app.state::<AppAccounts>();
    match route {
        Route::Redirect(address) => {
            // Its window comes to the front by itself.
            let waiting = app.state::<BrowserSignIns>().take_redirect(&address);
            let Some(waiting) = waiting else {
                tracing::info!("a link leads back to a sign-in that is not open any more");
                let words = "That sign-in is not open any more. Start again.";
                return Err(AuthError::with_message(ErrorCode::InvalidInput, words));
            };
            tracing::info!(window = waiting, "a link leads back to a sign-in");
            Ok(OpenedLink::SignIn)
        }
        Route::Join(address) => {
            accounts.check_adding().inspect_err(|error| {
                tracing::info!(%error, "a link that asks to add a workspace is refused");
            })?;
            tracing::info!(host = address.host(), "a link asks to add a workspace");
            let address = address.origin();
            Ok(OpenedLink::Join { address })
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    #[test]
    fn a_flood_of_links_is_bounded() {
        let links = DeepLinks::default();
        for number in 0..1_000 {
            let link = OsString::from(format!("com.example.app:/{number}"));
            links.keep(Arguments::new([link.clone(), link]));
        }
        let kept = lock(&links.arrived);
        assert_eq!(kept.len(), MOST);
        assert_eq!(kept[0], b"com.example.app:/0");
        assert_eq!(
            kept[MOST - 1],
            b"com.example.app:/7",
            "they are in their order"
        );
    }

    #[test]
    fn a_notice_waits_until_its_page_takes_it() {
        let links = DeepLinks::default();
        let about = LinkSubject::Join {
            address: "https://cloud.example".into(),
        };
        links.notify(windows::MAIN, about.clone());
        links.page_left(windows::MAIN);
        let waiting = links.notices_for(windows::MAIN, None).waiting;
        assert_eq!(waiting[0].about, about);
        links.take(windows::MAIN, waiting[0].id);
        assert!(links.notices_for(windows::MAIN, None).waiting.is_empty());
    }
}
