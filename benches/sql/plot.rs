//! Curves over the same values of x, as CSV and as SVG with logarithmic axes.

use std::fmt::Write as _;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 480.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 290.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 60.0;
/// Colours that people with any colour vision tell apart.
const COLOURS: [&str; 8] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000", "#999999",
];

pub struct Curves {
    title: String,
    x_label: String,
    y_label: String,
    names: Vec<String>,
    points: Vec<(f64, Vec<f64>)>,
}

/// A logarithmic axis from one pixel to another.
struct Axis {
    from: f64,
    to: f64,
    pixels: (f64, f64),
}

impl Axis {
    /// Whole powers of ten around these values.
    fn around(values: impl Iterator<Item = f64> + Clone, pixels: (f64, f64)) -> Axis {
        let from = values.clone().fold(f64::INFINITY, f64::min).log10().floor();
        let to = values.fold(f64::NEG_INFINITY, f64::max).log10().ceil();
        Axis {
            from,
            to: to.max(from + 1.0),
            pixels,
        }
    }

    fn pixel(&self, value: f64) -> f64 {
        let part = (value.log10() - self.from) / (self.to - self.from);
        self.pixels.0 + part * (self.pixels.1 - self.pixels.0)
    }

    fn powers(&self) -> impl Iterator<Item = f64> + use<> {
        (self.from as i32..=self.to as i32).map(|power| 10f64.powi(power))
    }
}

impl Curves {
    pub fn new(title: &str, x_label: &str, y_label: &str, names: &[String]) -> Curves {
        Curves {
            title: title.to_owned(),
            x_label: x_label.to_owned(),
            y_label: y_label.to_owned(),
            names: names.to_vec(),
            points: Vec::new(),
        }
    }

    /// One more curve.
    pub fn name(&mut self, name: &str) {
        self.names.push(name.to_owned());
    }

    /// The value of each curve at `x`.
    pub fn add(&mut self, x: f64, values: Vec<f64>) {
        assert_eq!(values.len(), self.names.len());
        self.points.push((x, values));
    }

    pub fn csv(&self) -> String {
        let quoted = |text: &String| format!("\"{}\"", text.replace('"', "\"\""));
        let names: Vec<String> = std::iter::once(&self.x_label).chain(&self.names).map(quoted).collect();
        let mut csv = names.join(",") + "\n";
        for (x, values) in &self.points {
            let values: String = values.iter().map(|value| format!(",{value:.4}")).collect();
            csv += &format!("{x}{values}\n");
        }
        csv
    }

    pub fn svg(&self) -> String {
        let x = Axis::around(self.points.iter().map(|(x, _)| *x), (LEFT, WIDTH - RIGHT));
        let values = self.points.iter().flat_map(|(_, values)| values.iter().copied());
        let y = Axis::around(values.filter(|value| *value > 0.0), (HEIGHT - BOTTOM, TOP));
        let mut svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>"#
        );
        let (middle, foot) = ((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - BOTTOM);
        text(&mut svg, (middle, 22.0), "middle", &self.title);
        text(&mut svg, (middle, HEIGHT - 18.0), "middle", &self.x_label);
        text(&mut svg, (LEFT, TOP - 10.0), "end", &self.y_label);
        for power in x.powers() {
            line(&mut svg, (x.pixel(power), TOP), (x.pixel(power), foot));
            text(&mut svg, (x.pixel(power), foot + 18.0), "middle", &power.to_string());
        }
        for power in y.powers() {
            line(&mut svg, (LEFT, y.pixel(power)), (WIDTH - RIGHT, y.pixel(power)));
            text(&mut svg, (LEFT - 8.0, y.pixel(power) + 4.0), "end", &power.to_string());
        }
        for (index, name) in self.names.iter().enumerate() {
            let colour = COLOURS[index % COLOURS.len()];
            let at = |(at, values): &(f64, Vec<f64>)| {
                (values[index] > 0.0).then(|| format!("{:.1},{:.1}", x.pixel(*at), y.pixel(values[index])))
            };
            let points: Vec<String> = self.points.iter().filter_map(at).collect();
            let _ = write!(
                svg,
                r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="2"/>"#,
                points.join(" ")
            );
            for point in &points {
                let (cx, cy) = point.split_once(',').unwrap();
                let _ = write!(svg, r#"<circle cx="{cx}" cy="{cy}" r="3" fill="{colour}"/>"#);
            }
            let legend = TOP + 12.0 + 20.0 * index as f64;
            let _ = write!(
                svg,
                r#"<rect x="{}" y="{}" width="12" height="12" fill="{colour}"/>"#,
                WIDTH - RIGHT + 16.0,
                legend - 10.0
            );
            text(&mut svg, (WIDTH - RIGHT + 34.0, legend), "start", name);
        }
        svg + "</svg>\n"
    }
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    let _ = write!(
        svg,
        r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{words}</text>"#
    );
}

fn line(svg: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    let _ = write!(
        svg,
        r##"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="#dddddd"/>"##
    );
}
