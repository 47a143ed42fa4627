//! The end of a sequence: everything works again, and what must be true then can be checked.

use std::time::{Duration, Instant};

use vestibule_core::wire::{Freshness, Phase};

use super::backend::Person;
use super::keyring::KeyringMode;
use super::plan::{ACCOUNTS, Carrier};
use super::process::Process;
use super::world::World;

/// How long a check is repeated before it counts as failed.
const SETTLE_TIMEOUT: Duration = Duration::from_secs(2);

/// Makes everything work again and checks that the person shown is signed in at the backend.
/// Returns in how many accounts somebody is signed in.
pub fn finish(world: &mut World) -> u64 {
    world.ground.net.forget_plans();
    world.ground.keyring.set_mode(KeyringMode::Open);
    for account in 0..ACCOUNTS {
        world.is_held[account] = false;
        world.ground.accounts[account].disk.heal();
        if let Some(process) = &world.processes[account] {
            process.life.clear_trigger();
        }
    }
    world.settle();
    for account in 0..ACCOUNTS {
        world.start(account);
    }
    world.settle();
    for _ in 0..5 {
        world.pass(61);
        world.settle();
    }
    // Expired access tokens make the next call find out which sessions the backend has ended.
    world.backend.expire_access();
    let mut signed_in = 0;
    for account in 0..ACCOUNTS {
        world.with(account, Process::call);
        world.settle();
        let who = holds(world, |world| look_at(world, account));
        signed_in += u64::from(who);
    }
    if world.is_calm {
        holds(world, check_orphans);
    }
    signed_in
}

/// Repeats a check until it holds, and counts a loss where it never does. It may fail at first: a
/// busy machine delays threads, and the core waits some seconds before it asks a backend for a
/// second opinion.
fn holds<T: Default>(world: &mut World, look: impl Fn(&World) -> Result<T, String>) -> T {
    let begun = Instant::now();
    loop {
        match look(world) {
            Ok(found) => return found,
            Err(loss) if begun.elapsed() >= SETTLE_TIMEOUT => {
                world.ground.checks.lose(loss);
                return T::default();
            }
            Err(_) => {
                world.pass(1);
                world.settle_well();
            }
        }
    }
}

/// Checks who is shown in the end. Returns whether somebody is.
fn look_at(world: &World, account: usize) -> Result<bool, String> {
    let Some(process) = &world.processes[account] else {
        return Ok(false);
    };
    match process.phase() {
        Phase::SignedIn {
            user,
            freshness: Freshness::Fresh,
            ..
        } => {
            let person = Person::of(&user.email);
            let is_theirs = world.backend.sessions.iter().any(|session| {
                session.account == account
                    && Some(session.person) == person
                    && session.ended.is_none()
            });
            match is_theirs {
                true => Ok(true),
                false => Err(format!(
                    "{person:?} is shown at account {account}, but has no session there"
                )),
            }
        }
        _ => Ok(false),
    }
}

/// Checks that without a crash or a loss no unused session is left at the backend.
fn check_orphans(world: &World) -> Result<(), String> {
    for account in 0..ACCOUNTS {
        let sessions = &world.backend.sessions;
        let of_account = |number: &usize| sessions[*number].account == account;
        let alive = (0..sessions.len()).filter(of_account).filter(|number| {
            // To revoke one token of a provider may end another session of the person there. So it is
            // not done while one is in use that is theirs, or may be: whom a sign-in would have shown
            // that was given up is not known.
            let has_other = (0..sessions.len()).filter(of_account).count() > 1;
            let may_stay = world.ground.config.carrier == Carrier::Provider && has_other;
            sessions[*number].ended.is_none() && !may_stay
        });
        let alive = alive.count();
        let phase = world.processes[account].as_ref().map(Process::phase);
        let used = usize::from(matches!(phase, Some(Phase::SignedIn { .. })));
        if alive > used {
            return Err(format!(
                "{alive} sessions of account {account} are valid at the backend, but {used} are in \
                 use"
            ));
        }
    }
    Ok(())
}
