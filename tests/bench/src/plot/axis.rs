//! One axis: maps values to positions, and chooses the round values that are marked.

/// An axis is logarithmic if the ratio of the largest to the smallest value exceeds this.
const WIDE: f64 = 100.0;
/// A logarithmic axis above this ratio marks only the powers of ten.
const LONG: f64 = 3000.0;
/// Approximately how many values are marked.
const TICKS: f64 = 6.0;

/// An axis over the values that are to be shown.
pub struct Axis {
    from: f64,
    to: f64,
    is_log: bool,
    label: Box<dyn Fn(f64) -> String>,
}

impl Axis {
    /// An axis for all of these values; `None` without values. `label` writes the marked values.
    pub fn over(
        values: impl IntoIterator<Item = f64>,
        label: impl Fn(f64) -> String + 'static,
    ) -> Option<Self> {
        let values: Vec<_> = values
            .into_iter()
            .filter(|value| value.is_finite())
            .collect();
        let least = values.iter().copied().reduce(f64::min)?;
        let most = values.iter().copied().reduce(f64::max)?;
        let is_log = least > 0.0 && most / least > WIDE;
        let (from, to) = match is_log {
            true => (least / 1.1, most * 1.1),
            false => (least.min(0.0), if most > 0.0 { most * 1.02 } else { 1.0 }),
        };
        Some(Self {
            from,
            to,
            is_log,
            label: Box::new(label),
        })
    }

    /// An axis from 0 to 1.
    pub fn unit() -> Self {
        Self {
            from: 0.0,
            to: 1.0,
            is_log: false,
            label: Box::new(|value| value.to_string()),
        }
    }

    /// The position of a value, from 0 to 1.
    pub fn at(&self, value: f64) -> f64 {
        match self.is_log {
            true => (value.max(self.from).ln() - self.from.ln()) / (self.to.ln() - self.from.ln()),
            false => (value - self.from) / (self.to - self.from),
        }
    }

    /// The marked values with their labels.
    pub fn ticks(&self) -> Vec<(f64, String)> {
        let values = if self.is_log {
            self.decades()
        } else {
            self.steps()
        };
        values
            .into_iter()
            .map(|value| (value, (self.label)(value)))
            .collect()
    }

    /// 1, 2 and 5 of each power of ten, or only the powers where there are many.
    fn decades(&self) -> Vec<f64> {
        let (first, last) = (
            self.from.log10().floor() as i32,
            self.to.log10().ceil() as i32,
        );
        let is_long = self.to / self.from > LONG;
        let within: &[f64] = if is_long { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let all =
            (first..=last).flat_map(|power| within.iter().map(move |m| m * 10_f64.powi(power)));
        all.filter(|value| (self.from..=self.to).contains(value))
            .collect()
    }

    /// Multiples of 1, 2 or 5 times a power of ten.
    fn steps(&self) -> Vec<f64> {
        let rough = (self.to - self.from) / TICKS;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * power);
        let step = step
            .into_iter()
            .find(|step| *step >= rough)
            .unwrap_or(rough);
        let first = (self.from / step).ceil() as i64;
        let last = (self.to / step).floor() as i64;
        // Divides where the step is a fraction, since 3 × 0.1 is not 0.3.
        let value = |nth: i64| match step < 1.0 {
            true => nth as f64 / (1.0 / step).round(),
            false => nth as f64 * step,
        };
        (first..=last).map(value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(values: &[f64]) -> Vec<String> {
        let axis = Axis::over(values.to_vec(), |value| value.to_string()).unwrap();
        axis.ticks().into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn marks_are_round_and_few() {
        assert_eq!(marked(&[0.2, 1.0]), ["0", "0.2", "0.4", "0.6", "0.8", "1"]);
        assert_eq!(marked(&[3.0, 48.0]), ["0", "10", "20", "30", "40"]);
        assert_eq!(
            marked(&[1e3, 1e8]),
            [
                "1000",
                "10000",
                "100000",
                "1000000",
                "10000000",
                "100000000"
            ]
        );
        assert_eq!(
            marked(&[1.0, 110.0]),
            ["1", "2", "5", "10", "20", "50", "100"]
        );
    }

    #[test]
    fn values_lie_in_order_between_the_ends() {
        for values in [[1.0, 5.0], [1.0, 500.0]] {
            let axis = Axis::over(values, |value| value.to_string()).unwrap();
            let (low, high) = (axis.at(values[0]), axis.at(values[1]));
            assert!(0.0 <= low && low < high && high <= 1.0, "{low} {high}");
        }
        assert!(Axis::over([f64::NAN], |value| value.to_string()).is_none());
    }
}
