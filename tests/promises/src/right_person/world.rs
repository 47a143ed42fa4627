//! Two installations, one keyring, one backend, one clock, and the operations on them, one by one.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use vestibule_core::testing::{Clock as _, ManualClock};
use vestibule_core::wire::{Freshness, Phase};

use super::backend::{Answered, Backend, Token};
use super::check::Checks;
use super::disk::Disk;
use super::keyring::{Items, Keyring};
use super::net::{Exchange, Net};
use super::plan::{DiskFault, NetworkFault, Op, Plan, WorldConfig};
use super::process::Process;

/// What remains of an installation when its process ends.
pub struct ModelMachine {
    pub disk: Disk,
    pub clock: Arc<ManualClock>,
}

/// What all processes share.
pub struct Ground {
    pub config: WorldConfig,
    pub installs: [ModelMachine; 2],
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
    pub(super) processes: [Option<Process>; 2],
    pub(super) backend: Backend,
    pub(super) is_held: [bool; 2],
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
    /// Installations at which somebody was signed in at the end.
    pub signed_in: u64,
    pub ops: u64,
}

impl World {
    fn new(config: WorldConfig, is_calm: bool) -> Self {
        super::model_process::listen_to_steps();
        let machine = || ModelMachine {
            disk: Disk::default(),
            clock: Arc::new(ManualClock::new(SystemTime::now())),
        };
        let believed = Duration::from_secs(config.believed_grace);
        Self {
            ground: Ground {
                config,
                installs: [machine(), machine()],
                keyring: Keyring::default(),
                net: Net::default(),
                checks: Checks::new(believed),
            },
            processes: [None, None],
            backend: Backend::new(config.carrier, Duration::from_secs(config.grace)),
            is_held: [false; 2],
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
            Op::Start(install) => self.start(*install),
            Op::Kill {
                install,
                is_power_cut,
            } => self.kill(*install, *is_power_cut),
            Op::Doom(install, death) => {
                self.with(*install, |process| process.life.set_trigger(death.clone()));
            }
            Op::SignIn(install, person) => self.with(*install, |process| process.sign_in(*person)),
            Op::SignOut(install) => self.with(*install, |process| process.sign_out()),
            Op::Refresh(install) => self.with(*install, |process| process.refresh()),
            Op::Unlock(install) => self.with(*install, |process| process.unlock()),
            Op::Call(install) => self.with(*install, Process::call),
            Op::Upload {
                install,
                is_replayable,
            } => {
                let is_replayable = *is_replayable;
                self.with(*install, |process| process.upload(is_replayable));
            }
            Op::Reload(install) => self.with(*install, Process::reload),
            Op::Strike(install, fault, which) => self.strike(*install, *fault, *which),
            Op::Fill(install) => self.ground.installs[*install].disk.fill(true),
            Op::HealDisk(install) => self.ground.installs[*install].disk.heal(),
            Op::Keyring(mode) => self.ground.keyring.set_mode(*mode),
            Op::Backup => self.backup = self.ground.keyring.items(),
            Op::Restore => self.ground.keyring.put(self.backup.clone()),
            Op::Mix => self.mix(),
            Op::NetworkFault(install, place, fault) => {
                self.ground.net.plan(*install, *place, *fault)
            }
            Op::Hold(install) => self.is_held[*install] = true,
            Op::Release(install) => self.is_held[*install] = false,
            Op::Arrive(install, which) => {
                if let Some(exchange) = self.ground.net.take(*install, false, *which) {
                    self.arrive(exchange);
                }
            }
            Op::Answer(install, which) => {
                if let Some(exchange) = self.ground.net.take(*install, true, *which) {
                    self.answer(exchange);
                }
            }
            Op::Pass(seconds) => self.pass(*seconds),
            Op::SetClock(install, seconds) => self.set_clock(*install, *seconds),
            Op::ExpireAccess => self.backend.expire_access(),
            Op::Revoke(person) => self.backend.revoke(*person),
        }
    }

    /// Does something with a process, if there is one.
    pub(super) fn with(&mut self, install: usize, work: impl FnOnce(&mut Process)) {
        if let Some(process) = &mut self.processes[install] {
            work(process);
        }
    }

    pub(super) fn start(&mut self, install: usize) {
        if self.processes[install].is_some() {
            return;
        }
        self.started += 1;
        // A process that fails to start has logged why, and then shows nobody.
        self.processes[install] = Process::start(&self.ground, install, self.started).ok();
    }

    fn kill(&mut self, install: usize, is_power_cut: bool) {
        let Some(process) = self.processes[install].take() else {
            return;
        };
        let number = process.life.number;
        process.end();
        self.ground.net.clear_of(number);
        self.rotated.retain(|rotated| rotated.process != number);
        let disk = &self.ground.installs[install].disk;
        if disk.left_by(number, is_power_cut) {
            self.ground.checks.forget(install);
        }
    }

    fn strike(&mut self, install: usize, fault: DiskFault, which: Option<usize>) {
        let disk = &self.ground.installs[install].disk;
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
            self.ground.checks.forget(install);
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

    fn set_clock(&mut self, install: usize, seconds: i64) {
        let clock = &self.ground.installs[install].clock;
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
        for place in &self.ground.installs {
            place.clock.advance(time);
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
            let (person, install) = (session.person, session.install);
            self.ground.checks.begun(given.session, person, install);
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
        for place in &self.ground.installs {
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
        for install in 0..2 {
            let is_dead = |process: &Process| process.life.is_dead();
            if self.processes[install].as_ref().is_some_and(is_dead) {
                self.kill(install, false);
            }
        }
    }

    /// Moves the exchanges that do not have to wait.
    fn carry(&mut self) -> bool {
        let mut has_moved = false;
        for install in 0..2 {
            if self.is_held[install] {
                continue;
            }
            while let Some(exchange) = self.ground.net.take(install, false, 0) {
                has_moved = true;
                self.arrive(exchange);
            }
            while let Some(exchange) = self.ground.net.take(install, true, 0) {
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
            let disk = &self.ground.installs[process.life.install].disk;
            if is_fresh && disk.is_well() && disk.is_idle() {
                self.ground.checks.spent(&process.life, rotated.spent);
            }
        }
    }

    fn end(mut self) {
        self.ground.keyring.end();
        for install in 0..2 {
            self.kill(install, false);
        }
    }
}
