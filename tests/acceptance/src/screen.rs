//! Looks at the virtual screen itself, for tests without a driver, and for pictures of it.

use std::collections::{HashMap, HashSet};
use std::error::Error;
use std::fs::File;
use std::path::Path;

use x11rb::connection::Connection as _;
use x11rb::errors::ReplyError;
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _, ImageFormat, MapState, Window};
use x11rb::rust_connection::RustConnection;

use crate::desktop::Desktop;

/// The screen of a desktop.
pub struct Screen {
    server: RustConnection,
    root: Window,
}

impl Screen {
    /// The screen of this desktop.
    ///
    /// # Panics
    /// If the X server does not answer.
    #[must_use]
    pub fn of(desktop: &Desktop) -> Self {
        Self::at(desktop.display()).expect("the virtual screen answers")
    }

    /// The screen of this display.
    pub(crate) fn at(display: &str) -> Result<Self, Box<dyn Error>> {
        let (server, number) = x11rb::connect(Some(display))?;
        let root = server.setup().roots[number].root;
        Ok(Self { server, root })
    }

    /// Writes a picture of the whole screen as PNG. The driver's own screenshot does not end where
    /// WebKit has no buffers of a graphics card.
    ///
    /// # Errors
    /// If the X server does not answer, or the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), Box<dyn Error>> {
        let size = self.server.get_geometry(self.root)?.reply()?;
        let picture = self.picture(self.root, size.width, size.height)?;
        let pixels = picture.chunks_exact(4);
        let colours: Vec<u8> = pixels
            .flat_map(|bgrx| [bgrx[2], bgrx[1], bgrx[0]])
            .collect();
        let file = File::create(path)?;
        let mut encoder = png::Encoder::new(file, size.width.into(), size.height.into());
        encoder.set_color(png::ColorType::Rgb);
        encoder.write_header()?.write_image_data(&colours)?;
        Ok(())
    }

    /// Whether a visible window has this title.
    #[must_use]
    pub fn shows(&self, title: &str) -> bool {
        self.window(title).is_some()
    }

    /// How many menus and other pop-ups are open.
    #[must_use]
    pub fn popups(&self) -> usize {
        let tree = self.server.query_tree(self.root).ok();
        let tree = tree.and_then(|ask| ask.reply().ok());
        let windows = tree.map(|tree| tree.children).unwrap_or_default();
        let is_popup = |window: &&Window| self.is_popup(**window).unwrap_or(false);
        windows.iter().filter(is_popup).count()
    }

    /// How many colours the visible window with this title shows; `None` if there is none.
    #[must_use]
    pub fn colours_of(&self, title: &str) -> Option<usize> {
        // A window may disappear between two requests; then there is none.
        self.window(title)
            .and_then(|window| self.colours(window).ok())
    }

    /// The most frequent brightness in the topmost `rows` of that window, from 0 to 255: that of
    /// the menu's background.
    #[must_use]
    pub fn lightness_on_top(&self, title: &str, rows: u16) -> Option<u8> {
        let window = self.window(title)?;
        let width = self.server.get_geometry(window).ok()?.reply().ok()?.width;
        let picture = self.picture(window, width, rows).ok()?;
        let mut counted = HashMap::new();
        for pixel in picture.chunks_exact(4) {
            *counted.entry(&pixel[..3]).or_insert(0) += 1;
        }
        let (most, _) = counted.into_iter().max_by_key(|(_, count)| *count)?;
        most.iter().copied().max()
    }

    fn window(&self, title: &str) -> Option<Window> {
        let tree = self.server.query_tree(self.root).ok()?.reply().ok()?;
        let is_it = |window: &Window| {
            self.is_visible(*window).unwrap_or(false)
                && self.title(*window).is_ok_and(|shown| shown == title)
        };
        tree.children.into_iter().find(is_it)
    }

    fn is_visible(&self, window: Window) -> Result<bool, ReplyError> {
        let attributes = self.server.get_window_attributes(window)?.reply()?;
        Ok(attributes.map_state == MapState::VIEWABLE)
    }

    fn is_popup(&self, window: Window) -> Result<bool, ReplyError> {
        let attributes = self.server.get_window_attributes(window)?.reply()?;
        let size = self.server.get_geometry(window)?.reply()?;
        // Toolkits keep small hidden windows of their own.
        Ok(attributes.override_redirect
            && attributes.map_state == MapState::VIEWABLE
            && size.width > 20
            && size.height > 20)
    }

    fn title(&self, window: Window) -> Result<String, ReplyError> {
        let ask =
            self.server
                .get_property(false, window, AtomEnum::WM_NAME, AtomEnum::ANY, 0, 64)?;
        Ok(String::from_utf8_lossy(&ask.reply()?.value).into_owned())
    }

    fn colours(&self, window: Window) -> Result<usize, ReplyError> {
        let size = self.server.get_geometry(window)?.reply()?;
        let picture = self.picture(window, size.width, size.height)?;
        let colours: HashSet<&[u8]> = picture.chunks_exact(4).map(|pixel| &pixel[..3]).collect();
        Ok(colours.len())
    }

    /// The pixels of the window, four bytes each.
    fn picture(&self, window: Window, width: u16, height: u16) -> Result<Vec<u8>, ReplyError> {
        let ask =
            self.server
                .get_image(ImageFormat::Z_PIXMAP, window, 0, 0, width, height, u32::MAX)?;
        Ok(ask.reply()?.data)
    }
}
