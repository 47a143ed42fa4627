//! Each way in which a keyring does not answer, how it comes about and how it passes.

use std::fmt;

use vestibule_bus::{Bus, Keyring, Mute, SECRETS};
use vestibule_core::wire::StorageStatus;

use crate::rig::Lost;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It wants its password, and nobody types it in. Passes when the user logs in.
    Locked,
    /// There is no bus to look for it on.
    NoBus,
    /// There is a bus, but no keyring on it.
    NoService,
    /// Somebody has its name and never answers. Passes when the real one takes its place.
    Mute,
    /// The real one is stopped in its tracks. Passes when it goes on: then what it was asked
    /// meanwhile is done, late.
    Stopped,
}

/// All of them.
pub const TROUBLES: [Trouble; 5] = [
    Trouble::Locked,
    Trouble::NoBus,
    Trouble::NoService,
    Trouble::Mute,
    Trouble::Stopped,
];

impl Trouble {
    /// What the state has to say about it.
    pub fn shows_as(self) -> StorageStatus {
        match self {
            Self::NoBus | Self::NoService => StorageStatus::Absent,
            Self::Locked | Self::Mute | Self::Stopped => StorageStatus::Locked,
        }
    }

    /// Whether calls hang in it, rather than fail at once.
    pub fn hangs(self) -> bool {
        matches!(self, Self::Locked | Self::Mute | Self::Stopped)
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Locked => "a locked keyring",
            Self::NoBus => "no bus",
            Self::NoService => "a bus without a keyring",
            Self::Mute => "a keyring that never answers",
            Self::Stopped => "a keyring that is stopped",
        })
    }
}

/// A bus on which trouble comes and goes.
pub struct Scene {
    mutes: Vec<Mute>,
    bus: Bus,
}

impl Scene {
    /// With a keyring that works.
    pub fn new() -> Result<Self, Lost> {
        let mut scene = Self {
            mutes: Vec::new(),
            bus: Bus::start().map_err(|error| error.to_string())?,
        };
        // Nobody answers a prompt, here or later.
        scene.with(|bus, mutes| {
            mutes.push(bus.ignore_prompts()?);
            bus.start_keyring(Keyring::Unlocked)
        })?;
        Ok(scene)
    }

    /// The bus, for those who live on it.
    pub fn bus(&self) -> &Bus {
        &self.bus
    }

    /// From a keyring that works into trouble.
    pub fn strike(&mut self, trouble: Trouble) -> Result<(), Lost> {
        self.with(|bus, mutes| match trouble {
            Trouble::Locked => bus.lock_keyring(),
            Trouble::NoBus => bus.end_bus(),
            Trouble::NoService => bus.kill_keyring(),
            Trouble::Mute => {
                bus.kill_keyring()?;
                mutes.push(bus.mute(SECRETS)?);
                Ok(())
            }
            Trouble::Stopped => bus.hang_keyring(),
        })
    }

    /// And back.
    pub fn heal(&mut self, trouble: Trouble) -> Result<(), Lost> {
        self.with(|bus, mutes| match trouble {
            Trouble::Locked => bus.unlock_keyring(),
            Trouble::NoBus => {
                mutes.clear();
                bus.start_bus()?;
                mutes.push(bus.ignore_prompts()?);
                bus.start_keyring(Keyring::Unlocked)
            }
            Trouble::NoService => bus.start_keyring(Keyring::Unlocked),
            Trouble::Mute => {
                mutes.pop();
                bus.start_keyring(Keyring::Unlocked)
            }
            Trouble::Stopped => bus.wake_keyring(),
        })
    }

    /// A bus is asked by way of other programs, which blocks.
    fn with(
        &mut self,
        work: impl FnOnce(&mut Bus, &mut Vec<Mute>) -> std::io::Result<()>,
    ) -> Result<(), Lost> {
        let Self { bus, mutes } = self;
        tokio::task::block_in_place(|| work(bus, mutes)).map_err(|error| error.to_string())
    }
}
