//! The ways in which a keyring does not answer: how each begins and how it ends.

use std::fmt;

use vestibule_bus::{Bus, Keyring, SECRETS, SilentService};
use vestibule_core::wire::StorageStatus;
use vestibule_harness::Lost;

/// A way in which the keyring does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyringFault {
    /// It asks for its password, and nobody enters it. Ends when the user logs in.
    Locked,
    /// There is no bus.
    NoBus,
    /// There is a bus without a keyring.
    NoService,
    /// A program has the keyring's name and never answers. Ends when the real keyring replaces it.
    Mute,
    /// The real keyring is stopped (SIGSTOP). When it continues, it still handles the calls that
    /// came meanwhile.
    Stopped,
}

pub const KEYRING_FAULTS: [KeyringFault; 5] = [
    KeyringFault::Locked,
    KeyringFault::NoBus,
    KeyringFault::NoService,
    KeyringFault::Mute,
    KeyringFault::Stopped,
];

impl KeyringFault {
    /// What the state must say about it.
    pub fn shows_as(self) -> StorageStatus {
        match self {
            Self::NoBus | Self::NoService => StorageStatus::Absent,
            Self::Locked | Self::Mute | Self::Stopped => StorageStatus::Locked,
        }
    }

    /// Whether calls wait in it instead of failing at once.
    pub fn hangs(self) -> bool {
        matches!(self, Self::Locked | Self::Mute | Self::Stopped)
    }
}

impl fmt::Display for KeyringFault {
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

/// A bus on which a fault begins and ends.
pub struct FaultScenario {
    mutes: Vec<SilentService>,
    bus: Bus,
}

impl FaultScenario {
    /// A bus with a keyring that works.
    pub fn new() -> Result<Self, Lost> {
        let mut scene = Self {
            mutes: Vec::new(),
            bus: Bus::start().map_err(|error| error.to_string())?,
        };
        // Nobody answers a prompt.
        scene.with(|bus, mutes| {
            mutes.push(bus.ignore_prompts()?);
            bus.start_keyring(Keyring::Unlocked)
        })?;
        Ok(scene)
    }

    pub fn bus(&self) -> &Bus {
        &self.bus
    }

    /// Begins a fault; the keyring worked before.
    pub fn strike(&mut self, fault: KeyringFault) -> Result<(), Lost> {
        self.with(|bus, mutes| match fault {
            KeyringFault::Locked => bus.lock_keyring(),
            KeyringFault::NoBus => bus.end_bus(),
            KeyringFault::NoService => bus.kill_keyring(),
            KeyringFault::Mute => {
                bus.kill_keyring()?;
                mutes.push(bus.mute(SECRETS)?);
                Ok(())
            }
            KeyringFault::Stopped => bus.hang_keyring(),
        })
    }

    /// Ends the fault.
    pub fn heal(&mut self, fault: KeyringFault) -> Result<(), Lost> {
        self.with(|bus, mutes| match fault {
            KeyringFault::Locked => bus.unlock_keyring(),
            KeyringFault::NoBus => {
                mutes.clear();
                bus.start_bus()?;
                mutes.push(bus.ignore_prompts()?);
                bus.start_keyring(Keyring::Unlocked)
            }
            KeyringFault::NoService => bus.start_keyring(Keyring::Unlocked),
            KeyringFault::Mute => {
                mutes.pop();
                bus.start_keyring(Keyring::Unlocked)
            }
            KeyringFault::Stopped => bus.wake_keyring(),
        })
    }

    /// Runs something with the bus on a blocking thread, since it starts other programs.
    fn with(
        &mut self,
        work: impl FnOnce(&mut Bus, &mut Vec<SilentService>) -> std::io::Result<()>,
    ) -> Result<(), Lost> {
        let Self { bus, mutes } = self;
        tokio::task::block_in_place(|| work(bus, mutes)).map_err(|error| error.to_string())
    }
}
