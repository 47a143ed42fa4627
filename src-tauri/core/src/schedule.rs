//! When to refresh next: pure functions of how long a token is valid, a count of failures and a
//! random number in [0, 1). Nothing here reads a clock.

use std::time::Duration;

/// The shortest time that a token is believed to be valid. A shorter one would mean constant
/// refreshes.
pub const LIFE_MIN: Duration = Duration::from_secs(60);
/// The longest time that a token is believed to be valid.
pub(crate) const LIFE_MAX: Duration = Duration::from_secs(24 * 3600);
/// How long a token is assumed to be valid if the backend does not say.
pub(crate) const LIFE_UNKNOWN: Duration = Duration::from_secs(15 * 60);
/// First step of the backoff.
pub(crate) const BACKOFF_BASE: Duration = Duration::from_secs(1);
/// Last step of the backoff.
pub(crate) const BACKOFF_CAP: Duration = Duration::from_secs(300);
/// The longest `Retry-After` that is obeyed.
pub const RETRY_AFTER_MAX: Duration = Duration::from_secs(3600);
/// Clients that were given the same `Retry-After` come back spread over a period. This is the
/// shortest period.
pub(crate) const SPREAD_MIN: Duration = Duration::from_secs(30);
/// The longest such period.
pub const SPREAD_MAX: Duration = BACKOFF_CAP;
/// A person waits for at most a fifth of that period.
const CLICK_SHARE: u32 = 5;
/// The shortest time between two attempts that a user's clicks can start.
pub const CLICK_GAP: Duration = Duration::from_secs(5);
/// The longest such time.
pub(crate) const CLICK_GAP_MAX: Duration = Duration::from_secs(15);
/// The shortest time between a refresh that a page causes and the one before it, and then between
/// all refreshes until one succeeds.
pub const PAGE_GAP: Duration = Duration::from_secs(5);

/// How long after its receipt a token is refreshed: at a random point from 70 to 90 % of the time
/// that it is valid, so that clients which signed in together do not refresh together.
pub fn refresh_after(lifetime: Option<Duration>, random: f64) -> Duration {
    share_of_life(believed(lifetime), random)
}

/// A random point from 70 to 90 % of a time for which something is valid.
pub(crate) fn share_of_life(life: Duration, random: f64) -> Duration {
    life.mul_f64(0.7 + 0.2 * random.clamp(0.0, 1.0))
}

/// How long after its receipt a token is used.
pub(crate) fn believed(lifetime: Option<Duration>) -> Duration {
    lifetime.unwrap_or(LIFE_UNKNOWN).clamp(LIFE_MIN, LIFE_MAX)
}

/// How long the schedule waits after the `failures`-th failure in a row: a random time between zero
/// and a bound that grows exponentially (full jitter). With a `retry_after`, that time plus a
/// random one.
pub(crate) fn retry_in(failures: u32, retry_after: Option<Duration>, random: f64) -> Duration {
    let random = random.clamp(0.0, 1.0);
    let doublings = failures.saturating_sub(1).min(16);
    let bound = BACKOFF_BASE.saturating_mul(1 << doublings).min(BACKOFF_CAP);
    match retry_after {
        None => bound.mul_f64(random),
        Some(wait) => obeyed(wait) + spread(wait).mul_f64(random),
    }
}

/// How long a person has to wait if the backend has asked for a pause. Nobody waits for the
/// schedule, so its tries are spread over the whole period; a person waits for at most a fifth of
/// it.
pub(crate) fn click_in(retry_after: Duration, random: f64) -> Duration {
    obeyed(retry_after) + (spread(retry_after) / CLICK_SHARE).mul_f64(random.clamp(0.0, 1.0))
}

/// The shortest time between two tries that clicks may start, after `failures` in a row: as many
/// seconds, within bounds. Otherwise a button that is pressed again and again would send most of
/// the backend's requests in an outage.
pub(crate) fn click_gap(failures: u32) -> Duration {
    Duration::from_secs(failures.into()).clamp(CLICK_GAP, CLICK_GAP_MAX)
}

/// The part of a `Retry-After` that is obeyed.
fn obeyed(retry_after: Duration) -> Duration {
    retry_after.clamp(Duration::from_secs(1), RETRY_AFTER_MAX)
}

/// The period over which clients come back that were told to wait until the same moment. It has a
/// minimum, because clients that failed shortly before that moment were told a short wait.
fn spread(retry_after: Duration) -> Duration {
    (retry_after / 2).clamp(SPREAD_MIN, SPREAD_MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_duration() -> impl Strategy<Value = Duration> {
        (any::<u64>(), 0..1_000_000_000_u32).prop_map(|(s, n)| Duration::new(s >> 1, n))
    }

    proptest! {
        #[test]
        fn a_refresh_comes_before_the_token_is_spent(
            lifetime in prop::option::of(any_duration()), random in 0.0..1.0,
        ) {
            let after = refresh_after(lifetime, random);
            let spent = believed(lifetime);
            prop_assert!(after >= spent.mul_f64(0.69) && after <= spent.mul_f64(0.91));
        }

        #[test]
        fn a_retry_keeps_to_its_bounds(
            failures in any::<u32>(), wait in prop::option::of(any_duration()), random in 0.0..1.0,
        ) {
            let delay = retry_in(failures, wait, random);
            match wait {
                None => prop_assert!(delay <= BACKOFF_CAP),
                Some(wait) => {
                    prop_assert!(delay >= wait.min(RETRY_AFTER_MAX));
                    prop_assert!(delay <= RETRY_AFTER_MAX + SPREAD_MAX);
                }
            }
        }

        #[test]
        fn a_click_waits_for_retry_after_and_no_longer_than_the_schedule(
            failures in any::<u32>(), wait in any_duration(), random in 0.0..1.0,
        ) {
            let click = click_in(wait, random);
            prop_assert!(click >= wait.min(RETRY_AFTER_MAX));
            prop_assert!(click <= retry_in(failures, Some(wait), random));
            prop_assert!(click <= obeyed(wait) + SPREAD_MAX / CLICK_SHARE);
        }

        #[test]
        fn those_who_were_told_the_same_do_not_come_at_the_same_time(
            wait in any_duration(), random in 0.0..1.0, other in 0.0..1.0,
        ) {
            let apart = retry_in(1, Some(wait), random).abs_diff(retry_in(1, Some(wait), other));
            // Half a minute between the first and the last, at the least.
            let least = SPREAD_MIN.mul_f64((random - other).abs());
            prop_assert!(apart + Duration::from_micros(1) >= least);
        }
    }

    #[test]
    fn backoff_doubles_to_its_cap() {
        let bounds: Vec<u64> = (1..=10).map(|n| retry_in(n, None, 1.0).as_secs()).collect();
        assert_eq!(bounds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
    }

    #[test]
    fn clicks_are_spaced_more_as_failures_add_up() {
        let of = |failures| click_gap(failures).as_secs();
        assert_eq!(
            [0, 1, 5, 6, 14, 15, 16, u32::MAX].map(of),
            [5, 5, 5, 6, 14, 15, 15, 15]
        );
    }
}
