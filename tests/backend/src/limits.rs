//! Rate limits: how often one address may ask, per endpoint and account. Counted
//! in memory over fixed windows; a restart forgets them, the account lock does not.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use crate::clock::{Millis, now, seconds_until};
use crate::error::Refusal;

/// What is limited, and how far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Limit {
    /// Sign-ins to one account from one address.
    Login,
    /// Sign-ins to any account from one address.
    Logins,
    Register,
    /// Codes tried for one account from one address.
    Verify,
    /// Codes sent to one account from one address.
    Resend,
    /// Codes tried or sent for any account from one address.
    Codes,
    Refresh,
}

impl Limit {
    /// Requests a minute.
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
/// Windows remembered before the finished ones are swept out.
const REMEMBERED: usize = 10_000;

/// Whose requests a window counts.
type Counted = (Limit, IpAddr, String);
/// When a window began, and how many it has counted.
type Window = (Millis, u32);

/// The counters; does nothing when limits are off.
pub(crate) struct Limits {
    on: bool,
    windows: Mutex<HashMap<Counted, Window>>,
}

impl Limits {
    pub fn new(on: bool) -> Self {
        Self {
            on,
            windows: Mutex::default(),
        }
    }

    /// Count one request of this kind, or refuse it until its window ends.
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
        if windows.len() >= REMEMBERED {
            windows.retain(|_, (since, _)| now - *since < WINDOW);
        }
        let window = windows
            .entry((limit, from, account.to_owned()))
            .or_insert((now, 0));
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
}
