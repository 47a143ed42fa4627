//! The plot: requests a second over the outage, one panel for each token lifetime. The SVG is
//! written directly, so that no drawing library has to be compiled.

use std::fmt::Write;
use std::time::Duration;

use super::figures::BEFORE;
use super::{Figures, OUTAGE, PEAK_BOUND, PROMISED_LIFE, Scenario};

const WIDTH: f64 = 1000.0;
const PANEL: f64 = 260.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 60.0;
const GAP: f64 = 60.0;
const LEGEND: f64 = 24.0;
/// How much of the time after the outage is shown.
const AFTER: Duration = Duration::from_secs(1200);
/// Each point is the busiest of this many seconds.
const BUSIEST_OF: usize = 3;
/// The powers of ten on the scale: 0.001 to 100 %.
const DECADES: [i32; 6] = [-5, -4, -3, -2, -1, 0];
/// Colours that people who confuse red and green can distinguish (Okabe and Ito's palette).
const COLOURS: [&str; 7] = [
    "#0072b2", "#d55e00", "#cc79a7", "#000000", "#56b4e9", "#009e73", "#e69f00",
];

/// Draws the runs of one fleet size, grouped by lifetime.
pub fn svg(runs: &[&(Scenario, Figures)]) -> String {
    let panels: Vec<_> = runs.chunk_by(|a, b| a.0.life == b.0.life).collect();
    let lines = panels.first().map_or(0, |panel| panel.len());
    let bottom = TOP + (PANEL + GAP) * panels.len() as f64;
    let height = bottom + LEGEND * lines.div_ceil(2) as f64 + 10.0;
    let clients = runs.first().map_or(0, |(scenario, _)| scenario.clients);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
    );
    let title = format!(
        "{clients} clients in an outage of {} minutes: refreshes a second, as a share of the \
         fleet (busiest of every {BUSIEST_OF} s; dashed: the bound at {} h)",
        OUTAGE.as_secs() / 60,
        PROMISED_LIFE.as_secs() / 3600,
    );
    text(&mut out, LEFT, 26.0, "start", &title);
    for (index, panel) in panels.iter().enumerate() {
        draw_panel(&mut out, TOP + (PANEL + GAP) * index as f64, panel);
    }
    for (index, (scenario, _)) in panels.first().into_iter().copied().flatten().enumerate() {
        let x = LEFT + (index % 2) as f64 * (WIDTH - LEFT) / 2.0;
        let y = bottom + LEGEND * (index / 2) as f64;
        let colour = COLOURS[index % COLOURS.len()];
        let _ = writeln!(
            out,
            "<path d=\"M{x} {y}h28\" stroke=\"{colour}\" stroke-width=\"3\"/>"
        );
        text(&mut out, x + 36.0, y + 4.0, "start", &scenario.to_string());
    }
    out.push_str("</svg>\n");
    out
}

fn draw_panel(out: &mut String, top: f64, panel: &[&(Scenario, Figures)]) {
    let total = (BEFORE + OUTAGE + AFTER).as_secs_f64();
    let x = |second: f64| LEFT + second / total * (WIDTH - LEFT - RIGHT);
    let (lowest, highest) = (f64::from(DECADES[0]), f64::from(DECADES[DECADES.len() - 1]));
    let y = |share: f64| {
        let decade = share.log10().clamp(lowest, highest);
        top + PANEL - (decade - lowest) / (highest - lowest) * PANEL
    };

    let (from, width) = (x(BEFORE.as_secs_f64()), x(OUTAGE.as_secs_f64()) - x(0.0));
    let _ = writeln!(
        out,
        "<rect x=\"{from:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"{PANEL}\" fill=\"#eee\"/>"
    );
    let life = panel[0].0.life.as_secs() / 60;
    text(
        out,
        LEFT,
        top - 8.0,
        "start",
        &format!("token life {life} min"),
    );
    for decade in DECADES {
        let share = 10_f64.powi(decade);
        let (at, end) = (y(share), WIDTH - RIGHT);
        let _ = writeln!(out, "<path d=\"M{LEFT} {at:.1}H{end}\" stroke=\"#ccc\"/>");
        let label = format!("{} %", share * 100.0);
        text(out, LEFT - 8.0, at + 4.0, "end", &label);
    }
    for minute in (0..=28_i32).step_by(4) {
        let at = x(f64::from(minute) * 60.0 + BEFORE.as_secs_f64());
        let label = format!("{minute} min");
        text(out, at, top + PANEL + 18.0, "middle", &label);
    }
    if panel[0].0.life == PROMISED_LIFE {
        let (at, end) = (y(PEAK_BOUND), WIDTH - RIGHT);
        let _ = writeln!(
            out,
            "<path d=\"M{LEFT} {at:.1}H{end}\" stroke=\"#c00\" stroke-width=\"2\" \
             stroke-dasharray=\"6 4\"/>"
        );
    }
    for (index, (_, figures)) in panel.iter().enumerate() {
        let mut path = String::new();
        let end = figures.seconds.len().min(total as usize);
        let shown = &figures.seconds[..end];
        for (point, seconds) in shown.chunks(BUSIEST_OF).enumerate() {
            let pen = if point == 0 { 'M' } else { 'L' };
            let busiest = seconds.iter().map(|share| share.0).fold(0.0, f64::max);
            let at = x((point * BUSIEST_OF) as f64);
            let _ = write!(path, "{pen}{at:.1} {:.1}", y(busiest));
        }
        let colour = COLOURS[index % COLOURS.len()];
        let _ = writeln!(
            out,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.2\"/>"
        );
    }
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
    );
}
