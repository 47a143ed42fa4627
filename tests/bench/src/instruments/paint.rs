//! The moment at which a window shows content: what a person sees, told by the X server and not
//! by the page.
//!
//! The server reports whatever is drawn on the screen (the DAMAGE extension). After each report
//! rows of the screen are read; a window's ground alone has a colour or two, a page with text or
//! pictures has dozens. So that is the rule, the same for every window: [`MANY`] colours in the
//! rows.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use vestibule_acceptance::Desktop;
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::damage::{ConnectionExt as _, ReportLevel};
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat};
use x11rb::rust_connection::RustConnection;

use crate::registry::Outcome;

/// Content has so many colours in the rows that are read. Measured: a window's ground has one or
/// two, the app's skeleton 17, its home page between 430 and 510, the blank window's page 615.
pub const MANY: usize = 60;
/// Below the menu and the window's edge.
const TOP: i16 = 80;
const BOTTOM: i16 = 700;
const BETWEEN_ROWS: usize = 14;
/// Windows open at the left edge: nobody manages them on a virtual screen.
const WIDTH: u16 = 1100;
/// A start that shows nothing for so long has failed.
const PATIENCE: Duration = Duration::from_secs(40);

/// Sees what is drawn on the screen of a desktop.
pub struct PaintWatch {
    server: RustConnection,
    root: u32,
    damage: u32,
}

impl PaintWatch {
    /// Watches this one from now on.
    ///
    /// # Errors
    /// If its server does not answer or does not report.
    pub fn of(desktop: &Desktop) -> Outcome<Self> {
        let told = |error: &dyn std::fmt::Display| format!("the virtual screen: {error}");
        let (server, number) =
            x11rb::connect(Some(desktop.display())).map_err(|error| told(&error))?;
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

    /// Waits until content is on the screen, and answers the moment at which it was seen.
    ///
    /// # Errors
    /// If none comes, or the server ends.
    pub fn content(&self) -> Outcome<Instant> {
        let limit = Instant::now() + PATIENCE;
        loop {
            let colours = self.colours()?;
            let now = Instant::now();
            if colours >= MANY {
                return Ok(now);
            }
            if now > limit {
                let waited = PATIENCE.as_secs();
                return Err(format!("{colours} colours on the screen after {waited} s"));
            }
            self.drawn(limit)?;
        }
    }

    /// Waits until nothing is on the screen.
    ///
    /// # Errors
    /// If something stays.
    pub fn empty(&self) -> Outcome<()> {
        let limit = Instant::now() + PATIENCE;
        while self.colours()? > 1 {
            if Instant::now() > limit {
                return Err("a window stays on the screen".into());
            }
            self.drawn(limit)?;
        }
        Ok(())
    }

    /// How many colours the rows of the screen have now.
    ///
    /// # Errors
    /// If the server does not answer.
    pub fn colours(&self) -> Outcome<usize> {
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
                    .map(|pixel| [pixel[0], pixel[1], pixel[2]]),
            );
        }
        Ok(colours.len())
    }

    /// Waits for the next report, or until `limit`.
    fn drawn(&self, limit: Instant) -> Outcome<()> {
        while Instant::now() < limit {
            let event = self.server.poll_for_event();
            let event = event.map_err(|error| format!("the virtual screen: {error}"))?;
            match event {
                Some(Event::DamageNotify(_)) => return Ok(()),
                Some(_) => {}
                // The server's socket has no waiting with a limit here; this is short beside
                // what is measured, and idle.
                None => std::thread::sleep(Duration::from_micros(500)),
            }
        }
        Ok(())
    }
}
