//! What a backend is started with.
//!
//! Two sets of values are kept apart: [`Config::default`] is for tests (private
//! database, cheap hashing, everything switchable), [`Config::product`] is what
//! the binary starts from. Nothing here reads the environment or a file.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

/// The price of one argon2id hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashing {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Hashing {
    /// OWASP's first recommendation for argon2id: 19 MiB, two passes, one lane.
    pub const OWASP: Self = Self {
        memory_kib: 19_456,
        passes: 2,
        lanes: 1,
    };

    /// As cheap as argon2id gets; for tests only.
    pub const CHEAP: Self = Self {
        memory_kib: 8,
        passes: 1,
        lanes: 1,
    };
}

/// How much of the device record a refresh must repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceBinding {
    /// Nothing: a refresh token works from anywhere.
    Off,
    /// The device id (`fingerprint.fingerprint`) of the sign-in.
    Id,
    /// The whole object of the sign-in: id, `os`, `browser` and what else it had.
    Whole,
}

/// What `POST /register` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// 201 with a session.
    SignIn,
    /// 200 `{otpRequired: true, email}`: the address is verified by a code first.
    Code,
    /// 201 `{message}` without a session: accepted, now sign in.
    Accept,
}

/// How the refresh token travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// In the cookie of the contract.
    Cookie,
    /// In bodies, as many backends have it: `tokens.refreshToken` in answers, `refreshToken` in
    /// the requests that refresh and sign out.
    Body,
}

/// Everything a backend is started with.
#[derive(Clone, Debug)]
pub struct Config {
    /// The address to listen on.
    pub host: IpAddr,
    /// The port; 0 lets the system choose.
    pub port: u16,
    /// The SQLite file; absent means a private temporary one that goes with the backend.
    pub database: Option<PathBuf>,
    /// Sync every commit to the disk, so that a power cut loses nothing either.
    pub durable: bool,
    /// How long a replayed refresh token still gets its successor. Zero is strict.
    pub grace: Duration,
    /// Life of an access token.
    pub access_ttl: Duration,
    /// Life of a refresh token, counted anew at each rotation.
    pub refresh_ttl: Duration,
    /// Life of a one-time code.
    pub otp_ttl: Duration,
    /// Least time between two codes for the same account.
    pub resend_interval: Duration,
    /// How long an account stays locked after ten failed tries.
    pub lock_for: Duration,
    /// Rate limits per address and account.
    pub limits: bool,
    /// What a refresh must repeat of the device record.
    pub device_binding: DeviceBinding,
    /// How the refresh token travels.
    pub carrier: Carrier,
    /// What a registration leads to.
    pub registration: Registration,
    /// Seed the demo accounts at the first start; serve `/demo-accounts` and `/mailbox`.
    pub demo: bool,
    /// Serve `/faults`. The library's own fault book works regardless.
    pub faults: bool,
    /// Keep the last request of each endpoint for assertions. Holds secrets: tests only.
    pub record: bool,
    /// Stands in every token, so that a test can tell one wherever it meets it: in front of
    /// refresh tokens, and as the key id in the head of access tokens. Letters and digits.
    pub mark: Option<String>,
    /// Print one-time codes on standard output, in the place of a mail server.
    pub console: bool,
    /// The most bytes of one `/transfer`, either way.
    pub transfer_limit: u64,
    /// Mark cookies `Secure`, for a backend behind TLS.
    pub secure_cookies: bool,
    /// The price of a password hash.
    pub hashing: Hashing,
}

impl Default for Config {
    /// For tests: loopback, a free port, a private temporary database, cheap
    /// hashing, no rate limits, demo accounts, faults and recording on.
    fn default() -> Self {
        Self {
            host: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            database: None,
            durable: false,
            grace: Duration::from_secs(60),
            access_ttl: Duration::from_secs(15 * 60),
            refresh_ttl: Duration::from_secs(30 * 24 * 3600),
            otp_ttl: Duration::from_secs(5 * 60),
            resend_interval: Duration::from_secs(30),
            lock_for: Duration::from_secs(15 * 60),
            limits: false,
            device_binding: DeviceBinding::Id,
            carrier: Carrier::Cookie,
            registration: Registration::SignIn,
            demo: true,
            faults: true,
            record: true,
            mark: None,
            console: false,
            transfer_limit: 256 << 20,
            secure_cookies: false,
            hashing: Hashing::CHEAP,
        }
    }
}

impl Config {
    /// What the binary starts from: port 4580, every commit synced, rate limits
    /// and full-price hashing, no demo accounts, no faults, nothing recorded.
    #[must_use]
    pub fn product() -> Self {
        Self {
            port: 4580,
            durable: true,
            limits: true,
            demo: false,
            faults: false,
            record: false,
            console: true,
            hashing: Hashing::OWASP,
            ..Self::default()
        }
    }
}

/// The values a test may change while the backend runs.
#[derive(Clone, Debug)]
pub(crate) struct Tunable {
    pub grace: Duration,
    pub access_ttl: Duration,
    pub refresh_ttl: Duration,
    pub otp_ttl: Duration,
    pub resend_interval: Duration,
    pub device_binding: DeviceBinding,
    pub registration: Registration,
    pub mark: Option<String>,
    /// Access tokens issued before this moment (epoch ms) count as expired.
    pub access_floor: i64,
}

impl From<&Config> for Tunable {
    fn from(config: &Config) -> Self {
        Self {
            grace: config.grace,
            access_ttl: config.access_ttl,
            refresh_ttl: config.refresh_ttl,
            otp_ttl: config.otp_ttl,
            resend_interval: config.resend_interval,
            device_binding: config.device_binding,
            registration: config.registration,
            mark: config.mark.clone(),
            access_floor: 0,
        }
    }
}
