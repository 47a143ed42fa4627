//! Times, and how they are told.

use std::time::Duration;

/// Many times of one thing.
#[derive(Default)]
pub struct Times(Vec<Duration>);

impl Times {
    pub fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    pub fn count(&self) -> usize {
        self.0.len()
    }

    pub fn median(&self) -> Duration {
        self.quantile(0.5)
    }

    pub fn p95(&self) -> Duration {
        self.quantile(0.95)
    }

    fn quantile(&self, part: f64) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        #[allow(clippy::cast_precision_loss)]
        let place = (part * (sorted.len().saturating_sub(1)) as f64).round() as usize;
        sorted.get(place).copied().unwrap_or_default()
    }
}

/// `1.234 ms`.
pub fn ms(time: Duration) -> String {
    format!("{:.3} ms", time.as_secs_f64() * 1000.0)
}

/// One line of the account.
pub fn line(name: &str, figure: &str) {
    println!("{name:<46} {figure}");
}

/// Median, 95th percentile and count.
pub fn told(name: &str, times: &Times) {
    let figure = format!(
        "median {:>12}   p95 {:>12}   n {}",
        ms(times.median()),
        ms(times.p95()),
        times.count()
    );
    line(name, &figure);
}
