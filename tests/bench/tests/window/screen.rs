//! Controls: the instruments that look at a window from outside see what is planted.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use vestibule_acceptance::Desktop;
use vestibule_bench::instruments::paint::PaintWatch;
use vestibule_bench::launch;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    ChangeGCAux, ConnectionExt as _, CreateGCAux, CreateWindowAux, Rectangle, WindowClass,
};
use x11rb::rust_connection::RustConnection;

/// The delay planted before a page is drawn.
const PLANTED: Duration = Duration::from_millis(20);
/// How many milliseconds of it must be measured.
const SEEN: f64 = 15.0;
/// How many paintings are measured: at least the first number, and up to the second while the
/// machine is busy. Other tests run at the same time and only ever add to a time, so the shortest
/// painting counts.
const PAINTINGS: std::ops::Range<usize> = 10..200;
const GROUND: u32 = 0x00f6_f6f3;

/// A delay that is planted before a page is drawn is in the measured time of a start.
#[test]
fn a_delay_before_the_first_paint_is_seen() {
    let desktop = Desktop::open();
    let mut window = Painter::open(&desktop);
    let screen = PaintWatch::of(&desktop).expect("a watch");
    let (mut at_once, mut late) = (f64::INFINITY, f64::INFINITY);
    for painting in 0..PAINTINGS.end {
        at_once = at_once.min(window.drawn_after(Duration::ZERO, &screen));
        late = late.min(window.drawn_after(PLANTED, &screen));
        // Nothing is seen before it is drawn, on any machine.
        assert!(late >= PLANTED.as_secs_f64() * 1e3, "{late} ms of 20");
        if painting >= PAINTINGS.start && late - at_once >= SEEN {
            return;
        }
    }
    panic!("20 ms were planted: {at_once} ms at once, {late} ms late");
}

/// A window that shows only its background has no content yet.
#[test]
fn a_ground_is_no_content() {
    let desktop = Desktop::open();
    let screen = PaintWatch::of(&desktop).expect("a watch");
    screen.empty().expect("nothing is there");
    let window = Painter::open(&desktop);
    let ground = [0xf6, 0xf6, 0xf3];
    screen.shows(ground).expect("the window's background");
    let colours = screen.colours().expect("colours");
    assert_eq!(colours.len(), 1, "only that is visible");
    window.draw();
    screen.content().expect("content is visible now");
    screen.hides(ground).expect("all of it is covered");
    let fifth = [0x0a, 0x0a, 0x05];
    screen.shows(fifth).expect("a stripe in its own colour");
}

/// Five megabytes in a process that the window's process started are in its measured memory.
#[test]
fn five_megabytes_in_a_process_of_the_window_are_weighed() {
    let weight = |bytes: usize| {
        // A shell, and below it a process that holds a line of this many bytes.
        let hold = format!(
            "{{ head -c {bytes} /dev/zero | tr '\\0' x; echo; sleep 600; }} | \
             perl -ne '$| = 1; print length($_) - 1, \"\\n\"'"
        );
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &hold])
            .stdin(Stdio::null())
            .stdout(Stdio::piped());
        let mut shell = vestibule_acceptance::ProcessGroup::start(&mut shell);
        let mut line = String::new();
        let from = shell.child().stdout.take().expect("its output");
        std::io::BufRead::read_line(&mut std::io::BufReader::new(from), &mut line).expect("a line");
        assert_eq!(
            line.trim(),
            bytes.to_string(),
            "the process holds the bytes"
        );
        launch::sum(&launch::weights(shell.child().id()).expect("it runs"))
    };
    let more = weight(5_000_001) - weight(1);
    // The memory of the shells themselves varies slightly.
    assert!(
        (4.5e6..30e6).contains(&more),
        "{more} bytes more of 5,000,000"
    );
}

/// A window that this test draws itself.
struct Painter {
    server: RustConnection,
    window: u32,
    brush: u32,
}

impl Painter {
    fn open(desktop: &Desktop) -> Self {
        let (server, number) = x11rb::connect(Some(desktop.display())).expect("the screen");
        let root = server.setup().roots[number].root;
        let window = server.generate_id().expect("an id");
        let brush = server.generate_id().expect("an id");
        let look = CreateWindowAux::new().background_pixel(GROUND);
        let class = WindowClass::INPUT_OUTPUT;
        server
            .create_window(0, window, root, 0, 0, 1120, 760, 0, class, 0, &look)
            .and_then(|_| server.create_gc(brush, window, &CreateGCAux::new()))
            .and_then(|_| server.map_window(window))
            .expect("a window");
        server
            .get_input_focus()
            .expect("asked")
            .reply()
            .expect("all of it is done");
        Self {
            server,
            window,
            brush,
        }
    }

    /// The milliseconds from now to content on the screen, which is drawn after `delay`; then
    /// clears it again.
    fn drawn_after(&mut self, delay: Duration, screen: &PaintWatch) -> f64 {
        let begun = Instant::now();
        let seen = thread::scope(|scope| {
            scope.spawn(|| {
                thread::sleep(delay);
                self.draw();
            });
            screen.content().expect("content")
        });
        self.clear();
        seen.duration_since(begun).as_secs_f64() * 1e3
    }

    /// Draws a hundred stripes in a hundred colours.
    fn draw(&self) {
        for stripe in 0..100_u32 {
            let colour = ChangeGCAux::new().foreground(stripe * 0x0002_0201);
            let x = i16::try_from(stripe * 11).expect("on the screen");
            let stripe = Rectangle {
                x,
                y: 0,
                width: 11,
                height: 760,
            };
            self.server
                .change_gc(self.brush, &colour)
                .expect("a colour");
            self.server
                .poly_fill_rectangle(self.window, self.brush, &[stripe])
                .expect("a stripe");
        }
        self.server.flush().expect("drawn");
    }

    fn clear(&self) {
        let all = self.server.clear_area(false, self.window, 0, 0, 0, 0);
        all.expect("cleared");
        self.server
            .get_input_focus()
            .expect("asked")
            .reply()
            .expect("all of it is done");
    }
}
