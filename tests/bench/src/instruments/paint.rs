//! The moment at which a window shows content, as the X server and not the page reports it.
//!
//! The server reports everything that is drawn on the screen (the DAMAGE extension). After each
//! report some rows of the screen are read. A window's background alone has one or two colours, a
//! page with text or pictures has dozens. So the same rule holds for every window: content is
//! [`MANY`] colours in these rows.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use vestibule_acceptance::Desktop;
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::damage::{ConnectionExt as _, ReportLevel};
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat};
use x11rb::rust_connection::RustConnection;

use crate::registry::Outcome;

/// How many colours the rows have at least when there is content. Measured: a window's background
/// has one or two, the app's skeleton 17, its home page between 430 and 510, the blank window's
/// page 615.
pub const MANY: usize = 60;
/// Below the menu and the window's border.
const TOP: i16 = 80;
const BOTTOM: i16 = 700;
const BETWEEN_ROWS: usize = 14;
/// Windows open at the left edge, since a virtual screen has no window manager.
const WIDTH: u16 = 1100;
/// A start that shows nothing for this long has failed.
const FIRST_PAINT_TIMEOUT: Duration = Duration::from_secs(40);

/// Red, green and blue.
pub type Colour = [u8; 3];

/// Watches what is drawn on the screen of a desktop.
pub struct PaintWatch {
    display: String,
    link: Mutex<Link>,
}

/// A connection to the X server on which it reports what is drawn.
struct Link {
    server: RustConnection,
    root: u32,
    damage: u32,
}

impl Link {
    fn to(display: &str) -> Outcome<Self> {
        let told = |error: &dyn std::fmt::Display| format!("the virtual screen: {error}");
        let (server, number) = x11rb::connect(Some(display)).map_err(|error| told(&error))?;
        let root = server.setup().roots[number].root;
        let damage = server.generate_id().map_err(|error| told(&error))?;
        let begun = (|| {
            server.damage_query_version(1, 1)?.reply()?;
            server
                .damage_create(damage, root, ReportLevel::NON_EMPTY)?
                .check()
        })();
        begun.map_err(|error: x11rb::errors::ReplyError| told(&error))?;
        Ok(Self {
            server,
            root,
            damage,
        })
    }

    /// The colours that the rows of the screen have now.
    fn colours(&self) -> Outcome<HashSet<Colour>> {
        let told = |error: &dyn std::fmt::Display| format!("reading the screen: {error}");
        // What is drawn from here on is reported again.
        let seen = self.server.damage_subtract(self.damage, 0u32, 0u32);
        seen.map_err(|error| told(&error))?;
        let rows = (TOP..BOTTOM).step_by(BETWEEN_ROWS).map(|row| {
            let format = ImageFormat::Z_PIXMAP;
            self.server
                .get_image(format, self.root, 0, row, WIDTH, 1, u32::MAX)
        });
        let asked: Vec<_> = rows
            .collect::<Result<_, _>>()
            .map_err(|error| told(&error))?;
        let mut colours = HashSet::new();
        for row in asked {
            let row = row.reply().map_err(|error| told(&error))?.data;
            colours.extend(
                row.chunks_exact(4)
                    .map(|pixel| [pixel[2], pixel[1], pixel[0]]),
            );
        }
        Ok(colours)
    }
}

impl PaintWatch {
    /// Watches this screen from now on.
    ///
    /// # Errors
    /// If the X server does not answer or does not report.
    pub fn of(desktop: &Desktop) -> Outcome<Self> {
        let display = desktop.display().to_owned();
        let link = Mutex::new(Link::to(&display)?);
        Ok(Self { display, link })
    }

    /// Waits until content is on the screen, and returns the moment at which it was seen.
    ///
    /// # Errors
    /// If no content appears, or the server ends.
    pub fn content(&self) -> Outcome<Instant> {
        self.until("content", |colours| colours.len() >= MANY)
    }

    /// Waits until something of this colour is on the screen, and returns the moment at which it was
    /// seen.
    ///
    /// # Errors
    /// If it does not appear, or the server ends.
    pub fn shows(&self, colour: Colour) -> Outcome<Instant> {
        let what = format!("the colour {colour:?}");
        self.until(&what, |colours| colours.contains(&colour))
    }

    /// Waits until nothing of this colour is on the screen.
    ///
    /// # Errors
    /// If some of it stays, or the server ends.
    pub fn hides(&self, colour: Colour) -> Outcome<()> {
        let what = format!("a screen without the colour {colour:?}");
        self.until(&what, |colours| !colours.contains(&colour))
            .map(drop)
    }

    /// Waits until nothing is on the screen.
    ///
    /// # Errors
    /// If a window stays.
    pub fn empty(&self) -> Outcome<()> {
        self.until("an empty screen", |colours| colours.len() <= 1)
            .map(drop)
    }

    /// Waits until the rows of the screen are as wanted, and returns the moment at which that was seen.
    fn until(&self, what: &str, wanted: impl Fn(&HashSet<Colour>) -> bool) -> Outcome<Instant> {
        let limit = Instant::now() + FIRST_PAINT_TIMEOUT;
        loop {
            let colours = self.colours()?;
            let now = Instant::now();
            if wanted(&colours) {
                return Ok(now);
            }
            if now > limit {
                let (waited, many) = (FIRST_PAINT_TIMEOUT.as_secs(), colours.len());
                return Err(format!(
                    "waited {waited} s for {what}: the screen has {many} colours"
                ));
            }
            self.drawn(limit)?;
        }
    }

    /// The colours that the rows of the screen have now. If the server has closed the connection, this opens a
    /// new one and prints that. It happened twice, for a reason that is not known. If the server has ended too,
    /// the error says so.
    ///
    /// # Errors
    /// If the server does not answer.
    pub fn colours(&self) -> Outcome<HashSet<Colour>> {
        let mut link = self.link();
        let closed = match link.colours() {
            Ok(colours) => return Ok(colours),
            Err(closed) => closed,
        };
        *link = Link::to(&self.display).map_err(|again| format!("{closed}; then {again}"))?;
        eprintln!("{closed}; the screen is watched by a new connection");
        link.colours()
    }

    /// Waits for the next report, or until `limit`.
    fn drawn(&self, limit: Instant) -> Outcome<()> {
        while Instant::now() < limit {
            match self.link().server.poll_for_event() {
                Ok(Some(Event::DamageNotify(_))) => return Ok(()),
                Ok(Some(_)) => {}
                // The library cannot wait for the server with a time limit; this pause is short
                // compared with what is measured.
                Ok(None) => std::thread::sleep(Duration::from_micros(500)),
                // The next look at the screen tells it, or makes a new connection.
                Err(_) => return Ok(()),
            }
        }
        Ok(())
    }

    fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
