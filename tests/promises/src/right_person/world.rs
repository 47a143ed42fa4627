//! Three accounts in two installations, one keyring, one backend, one clock, and the operations on them, one by one.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use uuid::Uuid;
use vestibule_core::testing::{Clock as _, ManualClock};
use vestibule_core::wire::{Freshness, Phase};

use super::backend::{Answered, Backend, Token};
use super::check::Checks;
use super::disk::Disk;
use super::keyring::{Items, Keyring};
use super::net::{Exchange, Net};
use super::plan::{
    ACCOUNTS, DiskFault, INSTALLATION_OF, INSTALLATIONS, NetworkFault, Op, Plan, WorldConfig,
};
use super::process::Process;

/// What remains of an account when its process ends. Accounts of one installation share the clock.
pub struct ModelAccount {
    pub disk: Disk,
    pub clock: Arc<ManualClock>,
}

/// What all processes share.
pub struct Ground {
    pub config: WorldConfig,
    pub accounts: [ModelAccount; ACCOUNTS],
    pub keyring: Keyring,
    pub net: Net,
    pub checks: Checks,
}

/// Everything waits if nothing has happened for this long. Nothing depends on the exact value:
/// what is slower is handled with the next operation.
const REST: Duration = Duration::from_micros(150);
/// The same, before a check that failed is repeated.
const LONG_REST: Duration = Duration::from_millis(6);
/// A pause for the keyring's threads when nothing else is ready.
const BREATH: Duration = Duration::from_micros(40);
/// The longest time for one operation. What goes on is handled with the next.
const STEP_LIMIT: Duration = Duration::from_millis(500);

/// A rotation whose answer has gone back, until its process waits.
struct Rotated {
    process: u64,
    spent: Token,
}

/// The world of one sequence.
pub struct World {
    pub(super) ground: Ground,
    pub(super) processes: [Option<Process>; ACCOUNTS],
    pub(super) backend: Backend,
    pub(super) is_held: [bool; ACCOUNTS],
    started: u64,
    now: Duration,
    backup: Items,
    rotated: Vec<Rotated>,
    unheard: Vec<Exchange>,
    pub(super) is_calm: bool,
}

/// The result of a sequence.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    pub losses: Vec<String>,
    /// Calls that were answered for somebody.
    pub served: u64,
    /// Accounts in which somebody was signed in at the end.
    pub signed_in: u64,
    pub ops: u64,
}

impl World {
    fn new(config: WorldConfig, is_calm: bool) -> Self {
        super::model_process::listen_to_steps();
        let clock = || Arc::new(ManualClock::new(SystemTime::now()));
        let clocks = [clock(), clock()];
        let ids = [Uuid::new_v4(), Uuid::new_v4()];
        let accounts = INSTALLATION_OF.map(|installation| ModelAccount {
            disk: Disk::of_account(ids[installation]),
            clock: clocks[installation].clone(),
        });
        let believed = Duration::from_secs(config.believed_grace);
        Self {
            ground: Ground {
                config,
                accounts,
                keyring: Keyring::default(),
                net: Net::default(),
                checks: Checks::new(believed),
            },
            processes: [const { None }; ACCOUNTS],
            backend: Backend::new(config.carrier, Duration::from_secs(config.grace)),
            is_held: [false; ACCOUNTS],
            started: 0,
            now: Duration::ZERO,
            backup: Items::new(),
            rotated: Vec::new(),
            unheard: Vec::new(),
            is_calm,
        }
    }

    /// Runs a sequence, up to its first loss or its end.
    pub fn run(plan: &Plan) -> Outcome {
        let is_calm = !plan.ops.iter().any(Op::is_violent);
        let mut world = Self::new(plan.config, is_calm);
        let mut ops = 0;
        for op in &plan.ops {
            ops += 1;
            world.does(op);
            world.settle();
            if !world.ground.checks.losses().is_empty() {
                break;
            }
        }
        let mut signed_in = 0;
        if world.ground.checks.losses().is_empty() {
            signed_in = super::final_state::finish(&mut world);
        }
        let outcome = Outcome {
            losses: world.ground.checks.losses(),
            served: world.ground.checks.served(),
            signed_in,
            ops,
        };
        world.end();
        outcome
    }

    fn does(&mut self, op: &Op) {
        match op {
            Op::Start(account) => self.start(*account),
            Op::Kill {
                account,
                is_power_cut,
            } => self.kill(*account, *is_power_cut),
            Op::Doom(account, death) => {
                self.with(*account, |process| process.life.set_trigger(death.clone()));
            }
            Op::SignIn(account, person) => self.with(*account, |process| process.sign_in(*person)),
            Op::SignOut(account) => self.with(*account, |process| process.sign_out()),
            Op::Refresh(account) => self.with(*account, |process| process.refresh()),
            Op::Unlock(account) => self.with(*account, |process| process.unlock()),
            Op::Call(account) => self.with(*account, Process::call),
            Op::Upload {
                account,
                is_replayable,
            } => {
                let is_replayable = *is_replayable;
                self.with(*account, |process| process.upload(is_replayable));
            }
            Op::Reload(account) => self.with(*account, Process::reload),
            Op::Strike(account, fault, which) => self.strike(*account, *fault, *which),
            Op::Fill(account) => self.ground.accounts[*account].disk.fill(true),
            Op::HealDisk(account) => self.ground.accounts[*account].disk.heal(),
            Op::Keyring(mode) => self.ground.keyring.set_mode(*mode),
            Op::Backup => self.backup = self.ground.keyring.items(),
            Op::Restore => self.ground.keyring.put(self.backup.clone()),
            Op::Mix => self.mix(),
            Op::NetworkFault(account, place, fault) => {
                self.ground.net.plan(*account, *place, *fault)
            }
            Op::Hold(account) => self.is_held[*account] = true,
            Op::Release(account) => self.is_held[*account] = false,
            Op::Arrive(account, which) => {
                if let Some(exchange) = self.ground.net.take(*account, false, *which) {
                    self.arrive(exchange);
                }
            }
            Op::Answer(account, which) => {
                if let Some(exchange) = self.ground.net.take(*account, true, *which) {
                    self.answer(exchange);
                }
            }
            Op::Pass(seconds) => self.pass(*seconds),
            Op::SetClock(account, seconds) => self.set_clock(*account, *seconds),
            Op::ExpireAccess => self.backend.expire_access(),
            Op::Revoke(person) => self.backend.revoke(*person),
        }
    }

    /// Does something with a process, if there is one.
    pub(super) fn with(&mut self, account: usize, work: impl FnOnce(&mut Process)) {
        if let Some(process) = &mut self.processes[account] {
            work(process);
        }
    }

    pub(super) fn start(&mut self, account: usize) {
        if self.processes[account].is_some() {
            return;
        }
        self.started += 1;
        // A process that fails to start has logged why, and then shows nobody.
        self.processes[account] = Process::start(&self.ground, account, self.started).ok();
    }

    /// Kills the process of an account, which is that of all accounts of its installation.
    fn kill(&mut self, account: usize, is_power_cut: bool) {
        for (other, installation) in INSTALLATION_OF.into_iter().enumerate() {
            if installation == INSTALLATION_OF[account] {
                self.kill_one(other, is_power_cut);
            }
        }
    }

    fn kill_one(&mut self, account: usize, is_power_cut: bool) {
        let Some(process) = self.processes[account].take() else {
            return;
        };
        let number = process.life.number;
        process.end();
        self.ground.net.clear_of(number);
        self.rotated.retain(|rotated| rotated.process != number);
        let disk = &self.ground.accounts[account].disk;
        if disk.left_by(number, is_power_cut) {
            self.ground.checks.forget(account);
        }
    }

    fn strike(&mut self, account: usize, fault: DiskFault, which: Option<usize>) {
        let disk = &self.ground.accounts[account].disk;
        let names = disk.names();
        for (at, name) in names.iter().enumerate() {
            if which.is_some_and(|which| which % names.len() != at) {
                continue;
            }
            match fault {
                DiskFault::Lost => disk.lose(name),
                DiskFault::Damaged => disk.damage(name),
                DiskFault::Unreadable => disk.hide(name),
            }
        }
        if fault != DiskFault::Unreadable {
            self.ground.checks.forget(account);
        }
    }

    fn mix(&mut self) {
        let items = self.ground.keyring.items();
        let mut values: Vec<_> = items.values().cloned().collect();
        if !values.is_empty() {
            values.rotate_left(1);
        }
        self.ground.keyring.put(items.into_keys().zip(values));
    }

    fn set_clock(&mut self, account: usize, seconds: i64) {
        let clock = &self.ground.accounts[account].clock;
        let by = Duration::from_secs(seconds.unsigned_abs());
        let wall = clock.wall();
        let set = match seconds < 0 {
            true => wall.checked_sub(by),
            false => wall.checked_add(by),
        };
        if let Some(wall) = set {
            clock.set_wall(wall);
            self.ground.checks.wall_is_set();
        }
    }

    pub(super) fn pass(&mut self, seconds: u64) {
        let time = Duration::from_secs(seconds);
        self.now += time;
        self.ground.checks.passes(self.now);
        // The first accounts, each of which is in another installation.
        for account in 0..INSTALLATIONS {
            self.ground.accounts[account].clock.advance(time);
        }
        for process in self.processes.iter().flatten() {
            process.pass(time);
        }
    }

    fn arrive(&mut self, mut exchange: Exchange) {
        if exchange.fault == Some(NetworkFault::Lost) || exchange.life.is_dead() {
            return exchange.lose();
        }
        let asked = self.ground.checks.next();
        let answered = match exchange.fault {
            Some(NetworkFault::Status(status)) => {
                Answered::plain(status, serde_json::json!({"message": "trouble"}))
            }
            _ => {
                let checks = &self.ground.checks;
                checks.arrives(&exchange.life, &exchange.request, &self.backend);
                self.backend.answer(&exchange.request, self.now, asked)
            }
        };
        if let Some(given) = answered.gives
            && answered.spends.is_none()
        {
            let session = &self.backend.sessions[given.session];
            let (person, account) = (session.person, session.account);
            self.ground.checks.begun(given.session, person, account);
        }
        exchange.answered = Some(answered);
        self.ground.net.put_back(exchange);
    }

    fn answer(&mut self, exchange: Exchange) {
        if exchange.fault == Some(NetworkFault::Never) {
            // A process that waits for the answer goes on waiting.
            self.unheard.push(exchange);
            return;
        }
        let process = exchange.life.number;
        let spends = exchange.answered.as_ref().and_then(|answer| answer.spends);
        let (_, is_whole) = exchange.go_back();
        if let Some(spent) = spends.filter(|_| is_whole) {
            self.rotated.push(Rotated { process, spent });
        }
    }

    /// Runs everything until nothing happens, or only waits for what will not come.
    pub(super) fn settle(&mut self) {
        self.settle_until(REST);
    }

    /// The same, with a longer wait, for a check that is repeated.
    pub(super) fn settle_well(&mut self) {
        self.settle_until(LONG_REST);
    }

    fn settle_until(&mut self, rest: Duration) {
        let begun = Instant::now();
        let mut before = self.activity();
        let mut since = Instant::now();
        let mut is_at_it = true;
        while begun.elapsed() < STEP_LIMIT {
            for process in self.processes.iter().flatten() {
                process.turn(is_at_it);
            }
            self.bury();
            let has_moved = self.carry();
            let now = self.activity();
            let is_called = self
                .processes
                .iter()
                .flatten()
                .any(|process| process.life.is_called());
            is_at_it = has_moved || is_called || now != before;
            if is_at_it {
                before = now;
                since = Instant::now();
            } else if since.elapsed() >= rest {
                break;
            } else {
                // The keyring's threads get a turn.
                std::thread::sleep(BREATH);
            }
        }
        self.note_spent();
        for place in &self.ground.accounts {
            for name in place.disk.written_over() {
                let checks = &self.ground.checks;
                checks.lose(format!("{name} could not be read and was overwritten"));
            }
        }
    }

    fn activity(&self) -> u64 {
        let all = self.processes.iter().flatten();
        all.map(|process| process.life.activity()).sum()
    }

    /// Removes the processes that have died.
    fn bury(&mut self) {
        for account in 0..ACCOUNTS {
            let is_dead = |process: &Process| process.life.is_dead();
            if self.processes[account].as_ref().is_some_and(is_dead) {
                self.kill(account, false);
            }
        }
    }

    /// Moves the exchanges that do not have to wait.
    fn carry(&mut self) -> bool {
        let mut has_moved = false;
        for account in 0..ACCOUNTS {
            if self.is_held[account] {
                continue;
            }
            while let Some(exchange) = self.ground.net.take(account, false, 0) {
                has_moved = true;
                self.arrive(exchange);
            }
            while let Some(exchange) = self.ground.net.take(account, true, 0) {
                has_moved = true;
                self.answer(exchange);
            }
        }
        has_moved
    }

    /// A process that has rotated and waits knows that the old token is used; its disk does too, if
    /// it worked.
    fn note_spent(&mut self) {
        if !self.ground.keyring.is_quick() || self.ground.keyring.hanging() > 0 {
            return;
        }
        for rotated in std::mem::take(&mut self.rotated) {
            let process = self.processes.iter().flatten();
            let mut process = process.filter(|one| one.life.number == rotated.process);
            let Some(process) = process.next() else {
                continue;
            };
            let is_fresh = matches!(
                process.phase(),
                Phase::SignedIn {
                    freshness: Freshness::Fresh,
                    ..
                }
            );
            // Until the record says so, the process may not have handled the answer: a busy machine
            // can keep a thread from running for longer than the wait here.
            let disk = &self.ground.accounts[process.life.account].disk;
            if is_fresh && disk.is_well() && disk.is_idle() {
                self.ground.checks.spent(&process.life, rotated.spent);
            }
        }
    }

    fn end(mut self) {
        self.ground.keyring.end();
        for account in 0..ACCOUNTS {
            self.kill(account, false);
        }
    }
}
