//! Puts the parts of the plugin together, and starts them in their order.

use std::sync::Arc;

use serde_json::Value;
use tauri::plugin::{Plugin, TauriPlugin};
use tauri::webview::Color;
use tauri::{AppHandle, Manager as _, RunEvent, Webview, WebviewWindowBuilder, Window, Wry};
use vestibule_core::browser::DonePage;
#[cfg(target_os = "macos")]
use vestibule_core::single_instance::Arguments;
use vestibule_core::{AuthError, BackendCalls};
use vestibule_log::Log;

use crate::account_list::ListChannels;
use crate::account_menu::{self, AccountMenu};
use crate::accounts::{self, AppAccounts};
use crate::app_desktop::DonePageWords;
use crate::backend_profile::{BuiltIn, BuiltProfile};
use crate::browser_sign_ins::BrowserSignIns;
use crate::command_limits::CommandLimits;
#[cfg(target_os = "macos")]
use crate::deep_links;
use crate::deep_links::DeepLinks;
use crate::lockdown::SeveralAccounts;
use crate::session_events::SessionChannels;
use crate::single_instance::{HANDOVER_TIMEOUT, SingleInstance};
use crate::window_pages::WindowPages;
use crate::windows::WindowStyle;
use crate::{StartError, commands, fallback_data_dir, hardening, lockdown, logging, menu};
use crate::{preferences, windows};

/// Which parts of the plugin are on, and what they need of the app.
pub struct Builder {
    built_in: BuiltIn,
    has_log: bool,
    is_single_instance: bool,
    has_menu: bool,
    style: WindowStyle,
    done_page: DonePageWords,
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl Builder {
    /// Everything on, and no profile that is a file.
    #[must_use]
    pub fn new() -> Self {
        Self {
            built_in: BuiltIn::default(),
            has_log: is_on("log"),
            is_single_instance: is_on("single_instance"),
            has_menu: is_on("menu"),
            style: WindowStyle::default(),
            done_page: DonePageWords::default(),
        }
    }

    /// The profile that was built in because `plugins.vestibule.profile` names a file: `PROFILE` of the
    /// crate `vestibule-build`.
    #[must_use]
    pub fn profile(mut self, profile: Option<BuiltProfile>) -> Self {
        self.built_in.profile = profile;
        self
    }

    /// Paths that pages may call beside `api.allow` of the profile, such as those of a backend for
    /// development.
    #[must_use]
    pub fn allow(mut self, paths: &'static [&'static str]) -> Self {
        self.built_in.allowed = paths;
        self
    }

    /// Whether the plugin keeps a log without secrets, in the system's folder for logs and on standard
    /// error. The menu offers to open that folder. Without it the app subscribes to `tracing` itself.
    #[must_use]
    pub fn log(mut self, on: bool) -> Self {
        self.has_log = on;
        self
    }

    /// Whether a second launch brings the window of the first to the front and ends. Without it two
    /// processes share the session; the first of them writes the log's file.
    #[must_use]
    pub fn single_instance(mut self, on: bool) -> Self {
        self.is_single_instance = on;
        self
    }

    /// Whether the app has the plugin's menu: windows, editing, the log's folder.
    #[must_use]
    pub fn menu(mut self, on: bool) -> Self {
        self.has_menu = on;
        self
    }

    /// What every window gets, also one that the menu or a page opens: its size, for instance.
    #[must_use]
    pub fn windows(
        mut self,
        customize: for<'a> fn(
            WebviewWindowBuilder<'a, Wry, AppHandle>,
        ) -> WebviewWindowBuilder<'a, Wry, AppHandle>,
    ) -> Self {
        self.style.customize = customize;
        self
    }

    /// The pages' own background, light and dark, which a window shows until its page is drawn.
    #[must_use]
    pub fn background(mut self, light: Color, dark: Color) -> Self {
        self.style.background = Some((light, dark));
        self
    }

    /// The words of the page that the browser shows at the end of a sign-in, in your app's language. It is
    /// shown after a refusal too, so they must not say that somebody is signed in. By default: "You can
    /// close this page and go back to" your app.
    ///
    /// ```
    /// use tauri_plugin_vestibule::vestibule_core::browser::DonePage;
    ///
    /// let vestibule = tauri_plugin_vestibule::Builder::new().done_page(DonePage {
    ///     language: "fr".into(),
    ///     title: "Retour à Exemple".into(),
    ///     text: "Vous pouvez fermer cette page et revenir à Exemple.".into(),
    /// });
    /// ```
    #[must_use]
    pub fn done_page(mut self, page: DonePage) -> Self {
        self.done_page = DonePageWords(Some(page));
        self
    }

    /// The plugin. The log begins here.
    #[must_use]
    pub fn build(self) -> Vestibule {
        let log = self.has_log.then(vestibule_log::start);
        let commands = tauri::plugin::Builder::new("vestibule")
            .invoke_handler(commands::handler())
            .build();
        Vestibule {
            commands,
            helpers: vec![
                Box::new(tauri_plugin_store::Builder::default().build()),
                Box::new(windows::state_plugin()),
            ],
            parts: Some((self, log)),
        }
    }
}

/// Whether a part is on unless the app says otherwise. A test switches parts off.
#[cfg(feature = "e2e")]
pub(crate) fn is_on(part: &str) -> bool {
    let off = std::env::var("VESTIBULE_E2E_OFF").unwrap_or_default();
    !off.split(',').any(|named| named == part)
}

#[cfg(not(feature = "e2e"))]
pub(crate) fn is_on(_part: &str) -> bool {
    true
}

/// The plugin: its commands, and the plugins that it uses itself.
pub struct Vestibule {
    commands: TauriPlugin<Wry>,
    helpers: Vec<Box<dyn Plugin<Wry>>>,
    /// Until the app starts.
    parts: Option<(Builder, Option<Log>)>,
}

impl Plugin<Wry> for Vestibule {
    fn name(&self) -> &'static str {
        self.commands.name()
    }

    fn initialize(&mut self, app: &AppHandle, config: Value) -> Result<(), StartError> {
        hardening::require()?;
        for helper in &mut self.helpers {
            let own = app.config().plugins.0.get(helper.name()).cloned();
            helper.initialize(app, own.unwrap_or_default())?;
        }
        self.commands.initialize(app, config)?;
        if let Some((parts, log)) = self.parts.take() {
            start(app, parts, log)?;
        }
        Ok(())
    }

    fn window_created(&mut self, window: Window) {
        for helper in &mut self.helpers {
            helper.window_created(window.clone());
        }
    }

    fn webview_created(&mut self, webview: Webview) {
        for helper in &mut self.helpers {
            helper.webview_created(webview.clone());
        }
    }

    fn on_event(&mut self, app: &AppHandle, event: &RunEvent) {
        for helper in &mut self.helpers {
            helper.on_event(app, event);
        }
        match event {
            #[cfg(feature = "e2e")]
            RunEvent::Ready => {
                after_event(app, open_windows_of_tests);
                panic_in_a_task_of_a_test();
            }
            RunEvent::Exit => {
                fallback_data_dir::remove(app);
                logging::end(app);
            }
            #[cfg(target_os = "macos")]
            RunEvent::Reopen { .. } => after_event(app, |app| drop(windows::focus_any(app))),
            #[cfg(target_os = "macos")]
            RunEvent::Opened { urls } => {
                let links = urls.iter().map(|url| url.as_str().into());
                deep_links::arrived(app, Arguments::new(links));
            }
            _ => {}
        }
    }

    fn extend_api(&mut self, invoke: tauri::ipc::Invoke<Wry>) -> bool {
        let webview = invoke.message.webview_ref();
        let pages = webview.state::<WindowPages>();
        // It may be carried out much later, when the window has another page.
        let arrived = pages.arrived(webview.label(), invoke.message.headers());
        if let Err(error) = arrived {
            invoke.resolver.reject(error);
            return true;
        }
        self.commands.extend_api(invoke)
    }
}

/// Runs this once the event has been handled. Tauri holds the lock of its plugins while one of them
/// handles an event, and building a window takes that lock, so the main thread would wait for itself.
#[cfg(any(feature = "e2e", target_os = "macos"))]
fn after_event(app: &AppHandle, work: fn(&AppHandle)) {
    let app = app.clone();
    tauri::async_runtime::spawn_blocking(move || work(&app));
}

/// Opens what tests need beside the app's own window: a locked window with a label that no capability
/// names, and a window as an app builds one without [`windows::window`].
#[cfg(feature = "e2e")]
fn open_windows_of_tests(app: &AppHandle) {
    let open = |variable, build: &dyn Fn(&str) -> tauri::Result<()>| {
        if let Ok(label) = std::env::var(variable)
            && let Err(error) = build(&label)
        {
            tracing::error!(%error, variable, "the test's window cannot be opened");
        }
    };
    open("VESTIBULE_E2E_WINDOW", &|label| {
        windows::window(app, label).build()
    });
    open("VESTIBULE_E2E_UNLOCKED_WINDOW", &|label| {
        WebviewWindowBuilder::new(app, label, tauri::WebviewUrl::default())
            .build()
            .map(drop)
    });
}

/// Panics in a task once the file that `VESTIBULE_E2E_PANIC` names is there.
#[cfg(feature = "e2e")]
fn panic_in_a_task_of_a_test() {
    let Some(file) = std::env::var_os("VESTIBULE_E2E_PANIC") else {
        return;
    };
    tauri::async_runtime::spawn(async move {
        let pause = std::time::Duration::from_millis(20);
        while !std::path::Path::new(&file).exists() {
            tokio::time::sleep(pause).await;
        }
        panic!("a test asked for this panic");
    });
}

/// Starts the parts. An error here ends the app; everything that a window can show is no error.
fn start(app: &AppHandle, parts: Builder, log: Option<Log>) -> Result<(), StartError> {
    if let Some(log) = log {
        app.manage(log);
    }
    app.manage(BackendCalls::default());
    app.manage(BrowserSignIns::default());
    app.manage(CommandLimits::default());
    app.manage(SessionChannels::default());
    app.manage(ListChannels::default());
    app.manage(WindowPages::default());
    app.manage(lockdown::LockedWindows::default());
    app.manage(parts.style);
    app.manage(parts.done_page);
    app.manage(parts.built_in);
    app.manage(SingleInstance::new(parts.is_single_instance));
    let deep_links = DeepLinks::configured(app.config());
    let refused_scheme = deep_links.as_ref().err().cloned();
    app.manage(deep_links.unwrap_or_default());
    // Before everything else, because a second launch ends here and must not have opened anything.
    let claimed = app.state::<SingleInstance>().claim(app, HANDOVER_TIMEOUT);
    let links = lockdown::Links::configured(app);
    let refusal = links.as_ref().err().cloned().or(refused_scheme);
    let refusal = refusal.map(|error| {
        tracing::error!(%error, "the settings are not valid; no account is opened");
        AuthError::from(error)
    });
    app.manage(Arc::new(links.unwrap_or_default()));
    app.manage(SeveralAccounts(accounts::are_several(app)));
    app.manage(AppAccounts::closed(app, refusal));
    match claimed {
        // Opened now, so that the session is there when the first page asks for it. An error is in the
        // log; the window asks again and shows the error.
        Ok(()) => drop(app.state::<AppAccounts>().session(windows::MAIN)),
        Err(_) => fallback_data_dir::create(app),
    }
    preferences::apply(app);
    if parts.has_menu {
        let accounts = match app.state::<SeveralAccounts>().0 {
            true => Some(AccountMenu::new(app)?),
            false => None,
        };
        app.set_menu(menu::menu(app, accounts.as_ref())?)?;
        if let Some(accounts) = accounts {
            app.manage(accounts);
            account_menu::update(app);
        }
        app.on_menu_event(|app, event| menu::on_event(app, event.id().as_ref()));
    }
    Ok(())
}
