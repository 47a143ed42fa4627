//! The units of samples, and how a value is written for people.

use serde::{Deserialize, Serialize};

/// The unit of every sample of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Times: in milliseconds, shown in the unit that suits their size.
    Ms,
    /// Sizes: in bytes, shown in multiples of 1,000.
    Bytes,
    /// Numbers of things.
    Count,
    /// Percent, as of one processor core.
    Percent,
}

impl Unit {
    /// `1.25 ms`, `174 kB`: three significant digits, in the suitable unit.
    #[must_use]
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Ms => scaled(value, &[(1e-3, "µs"), (1.0, "ms"), (1e3, "s")]),
            Self::Bytes => scaled(value, &[(1.0, "B"), (1e3, "kB"), (1e6, "MB"), (1e9, "GB")]),
            Self::Count => format!("{value:.0}"),
            Self::Percent => format!("{value:.2} %"),
        }
    }
}

/// The value in the largest of `sizes` in which it is at least 1.
fn scaled(value: f64, sizes: &[(f64, &str)]) -> String {
    let fits = |(size, _): &&(f64, &str)| value.abs() >= *size * 0.9995;
    let (size, name) = sizes
        .iter()
        .rev()
        .find(fits)
        .or(sizes.first())
        .copied()
        .unwrap_or((1.0, ""));
    let value = value / size;
    match value.abs() {
        less if less < 9.995 => format!("{value:.2} {name}"),
        less if less < 99.95 => format!("{value:.1} {name}"),
        _ => format!("{value:.0} {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits_in_the_size_that_suits() {
        assert_eq!(Unit::Ms.show(0.000_62), "0.62 µs");
        assert_eq!(Unit::Ms.show(0.62), "620 µs");
        assert_eq!(Unit::Ms.show(3.144), "3.14 ms");
        assert_eq!(Unit::Ms.show(1090.0), "1.09 s");
        assert_eq!(Unit::Ms.show(-1.234), "-1.23 ms");
        assert_eq!(Unit::Bytes.show(23_900_000.0), "23.9 MB");
        assert_eq!(Unit::Bytes.show(0.0), "0.00 B");
        assert_eq!(Unit::Count.show(16.0), "16");
    }
}
