//! Rate limits per network, endpoint and account. Counted in memory over fixed windows, of which
//! there is a largest number. A restart forgets them; it does not forget account locks.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use crate::clock::{Millis, now, seconds_until};
use crate::error::Refusal;

/// What is limited, and for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Limit {
    /// Sign-ins to one account from one network.
    Login,
    /// Sign-ins to any account from one network.
    Logins,
    Register,
    /// Codes tried for one account from one network.
    Verify,
    /// Codes sent to one account from one network.
    Resend,
    /// Codes tried or sent for any account from one network.
    Codes,
    Refresh,
}

impl Limit {
    /// Requests allowed in a minute.
    const fn allowed(self) -> u32 {
        match self {
            Self::Login | Self::Register | Self::Verify => 10,
            Self::Logins | Self::Codes => 60,
            Self::Resend => 5,
            Self::Refresh => 120,
        }
    }
}

const WINDOW: Millis = 60_000;
/// The largest number of windows. Callers beyond it share one window.
const REMEMBERED: usize = 10_000;
/// How often finished windows are removed while the table is full.
const SWEEP: Millis = 1000;

/// Whose requests a window counts; `None` for the shared window of a full table.
type Counted = (Limit, Option<(IpAddr, String)>);
/// When a window began, and how many requests it has counted.
type Window = (Millis, u32);

/// The counters; does nothing when limits are off.
pub(crate) struct Limits {
    on: bool,
    windows: Mutex<Windows>,
}

#[derive(Default)]
struct Windows {
    counted: HashMap<Counted, Window>,
    swept: Millis,
}

impl Windows {
    /// The window of this caller. Removing finished windows walks the whole table, so it is done
    /// once a second and not at each request of a flood.
    fn of(&mut self, limit: Limit, from: IpAddr, account: &str, now: Millis) -> &mut Window {
        let sweep = now < self.swept || now - self.swept >= SWEEP;
        if self.counted.len() >= REMEMBERED && sweep {
            self.swept = now;
            self.counted
                .retain(|_, (since, _)| (0..WINDOW).contains(&(now - *since)));
        }
        let own = (limit, Some((network(from), account.to_owned())));
        let room = self.counted.len() < REMEMBERED || self.counted.contains_key(&own);
        let counted = if room { own } else { (limit, None) };
        self.counted.entry(counted).or_insert((now, 0))
    }
}

/// The network of an address. For IPv6 that is a /64, since one customer has at least that much.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let prefix = address.to_bits() >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from_bits(prefix))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

impl Limits {
    pub fn new(on: bool) -> Self {
        Self {
            on,
            windows: Mutex::default(),
        }
    }

    /// Counts one request of this kind, or refuses it until its window ends.
    pub fn check(&self, limit: Limit, from: IpAddr, account: &str) -> Result<(), Refusal> {
        if self.on {
            self.check_at(limit, from, account, now())
        } else {
            Ok(())
        }
    }

    fn check_at(
        &self,
        limit: Limit,
        from: IpAddr,
        account: &str,
        now: Millis,
    ) -> Result<(), Refusal> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let window = windows.of(limit, from, account, now);
        if now - window.0 >= WINDOW || now < window.0 {
            *window = (now, 0);
        }
        if window.1 >= limit.allowed() {
            return Err(Refusal::too_many(seconds_until(window.0 + WINDOW, now)));
        }
        window.1 += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn a_window_fills_refuses_and_ends() {
        let limits = Limits::new(true);
        let home = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let ask = |account, now| limits.check_at(Limit::Login, home, account, now);
        for _ in 0..10 {
            ask("a", 1000).expect("within the limit");
        }
        let refusal = ask("a", 31_000).expect_err("full");
        assert_eq!(refusal.retry_after, Some(30));
        ask("b", 31_000).expect("another account has its own");
        ask("a", 61_000).expect("the window has ended");
        ask("a", 0).expect("a clock set back does not lock anyone out");
    }

    fn kept(limits: &Limits) -> usize {
        let windows = limits.windows.lock().expect("nobody panicked");
        windows.counted.len()
    }

    #[test]
    fn a_flood_of_callers_fills_no_memory_and_gets_no_more_than_its_share() {
        let limits = Limits::new(true);
        let from = |n: u32| IpAddr::V4(Ipv4Addr::from_bits(n));
        let ask = |n, now| limits.check_at(Limit::Login, from(n), "a", now).is_ok();
        assert!(ask(0, 0), "a caller from before the flood");
        let allowed = (1..100_000).filter(|n| ask(*n, 1)).count();
        assert_eq!(allowed, REMEMBERED - 1 + 10, "all others share one window");
        assert_eq!(kept(&limits), REMEMBERED + 1);
        assert!(ask(0, 2), "still has a window of its own");
        assert!(ask(100_000, WINDOW + 1), "the flood is over");
        assert!(kept(&limits) <= 2, "and forgotten");
    }

    #[test]
    fn the_addresses_of_one_customer_count_as_one() {
        let limits = Limits::new(true);
        let ask = |address: &str| {
            let from = address.parse().expect("an address");
            limits.check_at(Limit::Login, from, "a", 0).is_ok()
        };
        assert!((0..10).all(|n| ask(&format!("2001:db8:1:2::{n}"))));
        assert!(!ask("2001:db8:1:2:ffff::1"));
        assert!(ask("2001:db8:1:3::1") && ask("::1"));
        assert!((0..10).all(|_| ask("::ffff:192.0.2.1")));
        assert!(!ask("192.0.2.1") && ask("192.0.2.2"));
    }
}
