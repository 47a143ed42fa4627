//! A sequence: the properties of the world, and the operations in it, drawn from a seed, so that
//! the seed is enough to repeat it.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use vestibule_core::StoreError;

use super::backend::{Arrived, Person};
use super::keyring::KeyringMode;
use super::model_process::KillTrigger;

/// How refresh tokens travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    Cookie,
    Body,
    /// At a provider, to which the browser has brought the person.
    Provider,
}

/// The properties of the world.
#[derive(Clone, Copy, Debug)]
pub struct WorldConfig {
    pub carrier: Carrier,
    pub user_from: &'static str,
    /// The backend's grace window, in seconds.
    pub grace: u64,
    /// The grace window according to the profile.
    pub believed_grace: u64,
}

/// The fault of one exchange with the backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkFault {
    /// The request does not arrive, and the client notices.
    Lost,
    /// The request arrives, but its answer does not.
    Unheard,
    /// The request arrives, and the client never hears anything more.
    Never,
    /// The body of the answer breaks off.
    Cut,
    /// The body of the answer never ends.
    Stuck,
    /// The backend answers with this error status.
    Status(u16),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndpointKind {
    Login,
    Refresh,
    Logout,
    WhoAmI,
    Api,
}

impl EndpointKind {
    pub fn of(request: &Arrived) -> Self {
        match request.path.as_str() {
            "/token" if request.body["grant_type"] == "refresh_token" => Self::Refresh,
            "/login" | "/token" => Self::Login,
            "/refresh-token" => Self::Refresh,
            "/logout" | "/revoke" => Self::Logout,
            "/whoami" | "/userinfo" => Self::WhoAmI,
            _ => Self::Api,
        }
    }
}

/// The damage to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskFault {
    Lost,
    Damaged,
    /// It cannot be read until the disk works again.
    Unreadable,
}

/// An operation. Where it makes no sense it does nothing, so that any part of a sequence is a
/// sequence too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    Start(usize),
    SignIn(usize, Person),
    SignOut(usize),
    Refresh(usize),
    Call(usize),
    Upload {
        account: usize,
        is_replayable: bool,
    },
    /// The page is replaced by a new one.
    Reload(usize),
    Unlock(usize),
    Kill {
        account: usize,
        is_power_cut: bool,
    },
    /// The process will be killed at this point.
    Doom(usize, KillTrigger),
    /// Damages all records, or the one with this index.
    Strike(usize, DiskFault, Option<usize>),
    Fill(usize),
    HealDisk(usize),
    Keyring(KeyringMode),
    /// Copies everything in the keyring …
    Backup,
    /// … and this puts the copy back.
    Restore,
    /// Every item gets the value of another one.
    Mix,
    /// The next exchange with this endpoint has this fault.
    NetworkFault(usize, EndpointKind, NetworkFault),
    /// Exchanges wait from here on; …
    Hold(usize),
    /// … the one with this index arrives; …
    Arrive(usize, usize),
    /// … the one with this index that has arrived is answered; …
    Answer(usize, usize),
    /// … all of them go on, and none waits any more.
    Release(usize),
    Pass(u64),
    /// Somebody sets the clock forward or back by this many seconds.
    SetClock(usize, i64),
    ExpireAccess,
    Revoke(Person),
}

#[derive(Clone, Debug)]
pub struct Plan {
    pub config: WorldConfig,
    pub ops: Vec<Op>,
}

/// How many installations there are, …
pub const INSTALLATIONS: usize = 2;
/// … and accounts: the first and the last are in one installation, so they share its process, clock
/// and keyring, and each has its own records.
pub const ACCOUNTS: usize = 3;
/// The installation of each account.
pub const INSTALLATION_OF: [usize; ACCOUNTS] = [0, 1, 0];
/// An account for each chance: longer histories arise at the first.
const CHANCES: [usize; 10] = [0, 0, 0, 0, 0, 2, 2, 2, 1, 1];
/// Durations that exceed a time limit of some kind: of a click, of the keyring, of the third
/// rejection, of a request, of an upload that needs a token for longer, of an access token, of a
/// refresh token.
const TIMES: [u64; 9] = [1, 4, 11, 16, 31, 61, 800, 1000, 100_000];

impl Plan {
    /// The sequence of this seed.
    pub fn drawn(seed: u64, length: usize) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let grace = *[0, 0, 30, 60].choose(&mut rng).unwrap_or(&0);
        let config = WorldConfig {
            carrier: match rng.random_range(0..3) {
                0 => Carrier::Cookie,
                1 => Carrier::Body,
                _ => Carrier::Provider,
            },
            user_from: ["refresh", "me", "login"][rng.random_range(0..3)],
            grace,
            believed_grace: match rng.random_bool(0.5) {
                true => grace,
                false => 0,
            },
        };
        let mut ops = vec![Op::Start(0), Op::SignIn(0, person(&mut rng))];
        if rng.random_bool(0.5) {
            ops.extend([Op::Start(2), Op::SignIn(2, person(&mut rng))]);
        }
        // Some sequences are calm: without crashes and losses. Then every session that the backend
        // has begun must be in use or over at the end.
        let is_calm = rng.random_bool(0.2);
        while ops.len() < length {
            let op = draw(&mut rng);
            if !(is_calm && op.is_violent()) {
                ops.push(op);
            }
        }
        if !is_calm && rng.random_bool(0.3) {
            // By chance alone this would happen too rarely to be tested.
            let at = rng.random_range(2..=ops.len());
            let meanwhile = match rng.random_bool(0.5) {
                true => vec![Op::ExpireAccess, Op::Call(0)],
                false => vec![Op::SignIn(0, person(&mut rng))],
            };
            let is_shown_first = rng.random_bool(0.5);
            ops.splice(at..at, Self::restored(meanwhile, is_shown_first));
        }
        Self { config, ops }
    }

    /// The keyring is restored to an earlier state: its item then has a used token, or one of an
    /// earlier person. If the next start `is_shown_first`, its first refresh is lost, so that it
    /// shows the stored user.
    fn restored(meanwhile: Vec<Op>, is_shown_first: bool) -> Vec<Op> {
        let mut ops = vec![Op::Keyring(KeyringMode::Open), Op::Backup];
        ops.extend(meanwhile);
        ops.extend([
            Op::Kill {
                account: 0,
                is_power_cut: false,
            },
            Op::Restore,
        ]);
        if is_shown_first {
            ops.push(Op::NetworkFault(
                0,
                EndpointKind::Refresh,
                NetworkFault::Lost,
            ));
        }
        ops.push(Op::Start(0));
        ops
    }
}

fn person(rng: &mut StdRng) -> Person {
    match rng.random_bool(0.5) {
        true => Person::Ann,
        false => Person::Bob,
    }
}

fn draw(rng: &mut StdRng) -> Op {
    let account = *CHANCES.choose(rng).unwrap_or(&0);
    match rng.random_range(0..100) {
        0..=11 => Op::SignIn(account, person(rng)),
        12..=15 => Op::SignOut(account),
        16..=22 => Op::Refresh(account),
        23..=32 => Op::Call(account),
        33..=37 => Op::Upload {
            account,
            is_replayable: rng.random_bool(0.5),
        },
        38..=39 => Op::Reload(account),
        40 => Op::Unlock(account),
        41..=44 => Op::Kill {
            account,
            is_power_cut: rng.random_bool(0.4),
        },
        45..=49 => Op::Doom(account, death(rng)),
        50..=56 => Op::Start(account),
        57..=60 => {
            let fault = match rng.random_range(0..3) {
                0 => DiskFault::Lost,
                1 => DiskFault::Damaged,
                _ => DiskFault::Unreadable,
            };
            let which = rng.random_bool(0.7).then(|| rng.random_range(0..6));
            Op::Strike(account, fault, which)
        }
        61..=62 => Op::Fill(account),
        63..=65 => Op::HealDisk(account),
        66..=71 => Op::Keyring(mode(rng)),
        72..=74 => Op::Keyring(KeyringMode::Open),
        75 => Op::Backup,
        76 => Op::Restore,
        77 => Op::Mix,
        78..=82 => Op::NetworkFault(account, place(rng), fault(rng)),
        83..=85 => Op::Hold(account),
        86..=87 => Op::Arrive(account, rng.random_range(0..3)),
        88..=89 => Op::Answer(account, rng.random_range(0..3)),
        90..=91 => Op::Release(account),
        92..=96 => Op::Pass(*TIMES.choose(rng).unwrap_or(&1)),
        97 => Op::SetClock(account, rng.random_range(-400_000_000..400_000_000)),
        98 => Op::ExpireAccess,
        _ => match rng.random_bool(0.3) {
            true => Op::Revoke(person(rng)),
            false => Op::ExpireAccess,
        },
    }
}

fn death(rng: &mut StdRng) -> KillTrigger {
    match rng.random_bool(0.5) {
        true => {
            let step = super::STEPS[rng.random_range(0..super::STEPS.len())];
            KillTrigger::Step(step, rng.random_range(1..3))
        }
        false => KillTrigger::Effect(rng.random_range(1..12)),
    }
}

fn mode(rng: &mut StdRng) -> KeyringMode {
    match rng.random_range(0..4) {
        0 => KeyringMode::Fails(StoreError::Locked),
        1 => KeyringMode::Fails(StoreError::Failed),
        2 => KeyringMode::Fails(StoreError::Absent),
        _ => KeyringMode::Late,
    }
}

fn place(rng: &mut StdRng) -> EndpointKind {
    match rng.random_range(0..7) {
        0 | 1 => EndpointKind::Login,
        2 | 3 => EndpointKind::Refresh,
        4 => EndpointKind::Logout,
        5 => EndpointKind::WhoAmI,
        _ => EndpointKind::Api,
    }
}

fn fault(rng: &mut StdRng) -> NetworkFault {
    match rng.random_range(0..8) {
        0 => NetworkFault::Lost,
        1 => NetworkFault::Unheard,
        2 => NetworkFault::Never,
        3 | 4 => NetworkFault::Cut,
        5 => NetworkFault::Stuck,
        6 => NetworkFault::Status(503),
        _ => NetworkFault::Status(401),
    }
}

impl Op {
    /// Whether it can lose something that no client could have kept.
    pub fn is_violent(&self) -> bool {
        matches!(
            self,
            Self::Kill { .. }
                | Self::Doom(..)
                | Self::Strike(..)
                | Self::Fill(_)
                | Self::Restore
                | Self::Mix
                | Self::Keyring(_)
                | Self::NetworkFault(..)
                | Self::Hold(_)
        )
    }
}
