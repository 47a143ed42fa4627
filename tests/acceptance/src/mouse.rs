//! Mouse clicks through the X server, so that the window itself receives them too.

use thirtyfour::WebDriver;

use crate::desktop::Desktop;
use crate::keyboard::xdotool;
use crate::page::run;

/// A point of the screen.
pub type Point = (i64, i64);

/// The mouse of a desktop.
pub struct Mouse<'a>(&'a Desktop);

impl<'a> Mouse<'a> {
    pub(crate) fn new(desktop: &'a Desktop) -> Self {
        Self(desktop)
    }

    /// Clicks with the right button at this point.
    pub fn click_for_menu(&self, (x, y): Point) {
        self.xdotool(&["mousemove", &x.to_string(), &y.to_string()]);
        self.xdotool(&["click", "3"]);
    }

    fn xdotool(&self, arguments: &[&str]) {
        xdotool(self.0, arguments).expect("xdotool moves the mouse");
    }
}

/// The position on the screen of a point in a page; `point` is a script's expression for `[x, y]`.
pub async fn on_screen(page: &WebDriver, point: &str) -> Point {
    let script = format!(
        "const [x, y] = {point};
         return [screenX + x, screenY + outerHeight - innerHeight + y].map(Math.round)"
    );
    serde_json::from_value(run(page, &script).await).expect("a point")
}
