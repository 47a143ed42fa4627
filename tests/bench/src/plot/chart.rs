//! Lines over two axes, with a title and a legend, as one SVG.

use std::fmt::Write as _;

use super::axis::Axis;

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 48.0;
const BOTTOM: f64 = 56.0;
/// The distance between two lines of the legend, below the plot.
const LEGEND: f64 = 22.0;
/// Colours that people who confuse red and green can distinguish (Okabe and Ito's palette).
const COLOURS: [&str; 6] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
];

/// A chart.
pub struct Chart {
    pub title: String,
    /// The label of the horizontal axis; empty if its marks are enough.
    pub across: String,
    pub series: Vec<Series>,
}

/// One line of the chart.
pub struct Series {
    pub name: String,
    pub points: Vec<(f64, f64)>,
    /// Whether each point is marked.
    pub dots: bool,
}

impl Chart {
    /// Draws the chart.
    pub fn svg(&self, across: &Axis, up: &Axis) -> String {
        let (right, floor) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        let height = HEIGHT + LEGEND * self.series.len() as f64;
        let x = |value: f64| LEFT + across.at(value) * (right - LEFT);
        let y = |value: f64| floor - up.at(value) * (floor - TOP);
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
             font-family=\"sans-serif\" font-size=\"13\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
        );
        text(&mut out, (LEFT, 26.0), "start", &self.title);
        for (value, label) in up.ticks() {
            let at = y(value);
            let _ = writeln!(out, "<path d=\"M{LEFT} {at:.1}H{right}\" stroke=\"#ddd\"/>");
            text(&mut out, (LEFT - 8.0, at + 4.0), "end", &label);
        }
        for (value, label) in across.ticks() {
            let at = x(value);
            let _ = writeln!(out, "<path d=\"M{at:.1} {TOP}V{floor}\" stroke=\"#eee\"/>");
            text(&mut out, (at, floor + 18.0), "middle", &label);
        }
        text(&mut out, (right, floor + 38.0), "end", &self.across);
        let _ = writeln!(
            out,
            "<path d=\"M{LEFT} {TOP}V{floor}H{right}\" fill=\"none\" stroke=\"#666\"/>"
        );
        for (nth, series) in self.series.iter().enumerate() {
            let colour = COLOURS[nth % COLOURS.len()];
            let mut path = String::new();
            for (point, (across, up)) in series.points.iter().enumerate() {
                let pen = if point == 0 { 'M' } else { 'L' };
                let _ = write!(path, "{pen}{:.1} {:.1}", x(*across), y(*up));
                if series.dots {
                    let (x, y) = (x(*across), y(*up));
                    let _ = writeln!(
                        out,
                        "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>"
                    );
                }
            }
            let _ = writeln!(
                out,
                "<path class=\"series\" d=\"{path}\" fill=\"none\" stroke=\"{colour}\" \
                 stroke-width=\"2\"/>"
            );
            let line = HEIGHT + LEGEND * nth as f64;
            let _ = writeln!(
                out,
                "<path d=\"M{LEFT} {line}h28\" stroke=\"{colour}\" stroke-width=\"3\"/>"
            );
            text(&mut out, (LEFT + 36.0, line + 4.0), "start", &series.name);
        }
        out.push_str("</svg>\n");
        out
    }
}

fn text(out: &mut String, (x, y): (f64, f64), anchor: &str, text: &str) {
    let text = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    let _ = writeln!(
        out,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
    );
}
