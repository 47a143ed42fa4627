//! The options a backend is started with.
//!
//! There are two sets of values: [`Config::default`] is for tests (private database, cheap
//! hashing, everything switchable); the program starts from [`Config::product`]. Nothing here
//! reads the environment or a file.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

/// The cost of one argon2id hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashing {
    /// Memory in KiB.
    pub memory_kib: u32,
    /// Passes over that memory.
    pub passes: u32,
    /// Parallel lanes.
    pub lanes: u32,
}

impl Hashing {
    /// OWASP's first recommendation for argon2id: 19 MiB, two passes, one lane.
    pub const OWASP: Self = Self {
        memory_kib: 19_456,
        passes: 2,
        lanes: 1,
    };

    /// The cheapest parameters that argon2id accepts; for tests only.
    pub const CHEAP: Self = Self {
        memory_kib: 8,
        passes: 1,
        lanes: 1,
    };
}

/// How much of the device record a refresh must repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceBinding {
    /// Nothing: a refresh token works from any device.
    Off,
    /// The device id (`fingerprint.fingerprint`) of the sign-in.
    Id,
    /// The whole object of the sign-in: id, `os`, `browser` and every other field it had.
    Whole,
}

/// What `POST /register` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// 201 and a session.
    SignIn,
    /// 200 `{otpRequired: true, email}`: a code must confirm the address first.
    Code,
    /// 201 `{message}` without a session: the user signs in next.
    Accept,
}

/// How the refresh token travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// In the cookie `__refresh_token`.
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
    /// The SQLite file. Without one, a private temporary file that is deleted with the backend.
    pub database: Option<PathBuf>,
    /// Syncs every commit to the disk, so that a power cut loses nothing.
    pub durable: bool,
    /// For how long a used refresh token, sent again, still gets its successor. Zero: not at all.
    pub grace: Duration,
    /// The lifetime of an access token.
    pub access_ttl: Duration,
    /// The lifetime of a refresh token, counted anew at each rotation.
    pub refresh_ttl: Duration,
    /// The lifetime of a one-time code.
    pub otp_ttl: Duration,
    /// The least time between two codes for the same account.
    pub resend_interval: Duration,
    /// How long an account stays locked after ten failed tries.
    pub lock_for: Duration,
    /// How long a device that waits for a person's approval has to wait before it asks again, in whole
    /// seconds.
    pub device_interval: Duration,
    /// Whether the revocation of one token ends all that the person has ever allowed that client, as Google,
    /// Auth0 and Keycloak do it (RFC 7009, section 2.1, lets a server choose). Otherwise it ends the session
    /// of that token.
    pub revocation_ends_grant: bool,
    /// Whether requests are limited per network and account.
    pub limits: bool,
    /// How much of the device record a refresh must repeat.
    pub device_binding: DeviceBinding,
    /// How the refresh token travels.
    pub carrier: Carrier,
    /// What a registration leads to.
    pub registration: Registration,
    /// Creates the demo accounts at the first start; serves `/demo-accounts` and `/mailbox`.
    pub demo: bool,
    /// Serves `/faults`. [`Backend::faults`](crate::Backend::faults) works without it.
    pub faults: bool,
    /// Keeps the latest requests of each endpoint for assertions. They hold secrets: tests only.
    pub record: bool,
    /// A text in every token by which a test recognises tokens wherever they appear: in front of
    /// refresh tokens, and in the key id in the header of access tokens and ID tokens. Letters and
    /// digits.
    pub mark: Option<String>,
    /// Prints one-time codes on standard output; there is no mail server.
    pub console: bool,
    /// The largest number of bytes of one `/transfer`, in either direction.
    pub transfer_limit: u64,
    /// Marks cookies `Secure`, for a backend behind TLS.
    pub secure_cookies: bool,
    /// The cost of a password hash.
    pub hashing: Hashing,
}

impl Default for Config {
    /// For tests: loopback, a free port, a private temporary database, cheap hashing, no rate
    /// limits; demo accounts, faults and recording are on.
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
            device_interval: Duration::from_secs(1),
            revocation_ends_grant: false,
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
    /// For the program: port 4580, every commit synced, rate limits, hashing as OWASP recommends;
    /// no demo accounts, no faults, nothing recorded.
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
            device_interval: Duration::from_secs(5),
            hashing: Hashing::OWASP,
            ..Self::default()
        }
    }
}

/// The options that a test may change while the backend runs.
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
    /// Access tokens issued before this time (milliseconds since the epoch) count as expired.
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
