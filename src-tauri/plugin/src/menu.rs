//! The app's menu, and what its items do.

use tauri::menu::{AboutMetadata, Menu, MenuItem, PredefinedMenuItem, Submenu};
use tauri::{AppHandle, Wry};

use crate::account_menu::{self, AccountMenu};
use crate::{StartError, logging, windows};

const NEW_WINDOW: &str = "new-window";
const LOG_FOLDER: &str = "log-folder";
#[cfg(not(target_os = "macos"))]
const CLOSE_WINDOW: &str = "close-window";
#[cfg(not(target_os = "macos"))]
const QUIT: &str = "quit";

/// The menu of every window; on macOS the one at the top of the screen. An app with several accounts has
/// one for them.
pub fn menu(app: &AppHandle, accounts: Option<&AccountMenu>) -> tauri::Result<Menu<Wry>> {
    let menu = basic_menu(app)?;
    if let Some(accounts) = accounts {
        let before_help = menu.items()?.len().saturating_sub(1);
        menu.insert(accounts.submenu(), before_help)?;
    }
    Ok(menu)
}

fn basic_menu(app: &AppHandle) -> tauri::Result<Menu<Wry>> {
    let new_window = MenuItem::with_id(app, NEW_WINDOW, "New Window", true, Some("CmdOrCtrl+N"))?;
    let log_folder = MenuItem::with_id(app, LOG_FOLDER, "Open Log Folder", true, None::<&str>)?;
    let separator = PredefinedMenuItem::separator(app)?;
    let cut = PredefinedMenuItem::cut(app, None)?;
    let copy = PredefinedMenuItem::copy(app, None)?;
    let paste = PredefinedMenuItem::paste(app, None)?;
    let select_all = PredefinedMenuItem::select_all(app, None)?;
    let about = about(app)?;

    #[cfg(target_os = "macos")]
    {
        let name = app.config().product_name.clone().unwrap_or_default();
        let hide = PredefinedMenuItem::hide(app, None)?;
        let hide_others = PredefinedMenuItem::hide_others(app, None)?;
        let quit = PredefinedMenuItem::quit(app, None)?;
        let close = PredefinedMenuItem::close_window(app, None)?;
        let undo = PredefinedMenuItem::undo(app, None)?;
        let redo = PredefinedMenuItem::redo(app, None)?;
        Menu::with_items(
            app,
            &[
                &Submenu::with_items(
                    app,
                    name,
                    true,
                    &[&about, &separator, &hide, &hide_others, &separator, &quit],
                )?,
                &Submenu::with_items(app, "File", true, &[&new_window, &separator, &close])?,
                &Submenu::with_items(
                    app,
                    "Edit",
                    true,
                    &[&undo, &redo, &separator, &cut, &copy, &paste, &select_all],
                )?,
                &Submenu::with_items(app, "Help", true, &[&log_folder])?,
            ],
        )
    }
    // Other systems have no predefined items for these and would show them greyed out.
    #[cfg(not(target_os = "macos"))]
    {
        let close =
            MenuItem::with_id(app, CLOSE_WINDOW, "Close Window", true, Some("CmdOrCtrl+W"))?;
        let quit = MenuItem::with_id(app, QUIT, "Quit", true, Some("CmdOrCtrl+Q"))?;
        let file = [&new_window as _, &separator as _, &close as _, &quit as _];
        let edit = [&cut as _, &copy as _, &paste as _, &select_all as _];
        let help = [&log_folder as _, &separator as _, &about as _];
        Menu::with_items(
            app,
            &[
                &Submenu::with_items(app, "File", true, &file)?,
                &Submenu::with_items(app, "Edit", true, &edit)?,
                &Submenu::with_items(app, "Help", true, &help)?,
            ],
        )
    }
}

fn about(app: &AppHandle) -> tauri::Result<PredefinedMenuItem<Wry>> {
    PredefinedMenuItem::about(
        app,
        None,
        Some(AboutMetadata {
            name: app.config().product_name.clone(),
            version: Some(app.package_info().version.to_string()),
            license: app.config().bundle.license.clone(),
            ..AboutMetadata::default()
        }),
    )
}

/// Carries out a menu item.
pub fn on_event(app: &AppHandle, id: &str) {
    let done = match id {
        NEW_WINDOW => {
            let like = windows::focused(app);
            let like = like.as_ref().map(|window| window.label());
            windows::open_another(app, like)
                .map(drop)
                .map_err(StartError::from)
        }
        LOG_FOLDER => logging::open_folder(app),
        #[cfg(not(target_os = "macos"))]
        CLOSE_WINDOW => windows::close_focused(app).map_err(StartError::from),
        #[cfg(not(target_os = "macos"))]
        QUIT => {
            app.exit(0);
            Ok(())
        }
        _ => {
            account_menu::on_event(app, id);
            Ok(())
        }
    };
    if let Err(error) = done {
        tracing::error!(%error, item = id, "a menu item could not be carried out");
    }
}
