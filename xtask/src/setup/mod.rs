//! Installs what a machine needs to build, run and test the app.
//!
//! Each part checks first and installs only what is missing, so that on a prepared machine this
//! takes well under a second.

pub mod node;
pub mod npm;
pub mod packages;
pub mod python;
pub mod system;
pub mod tools;

use std::fs::{self, File};

use crate::failure::{Outcome, io};
use crate::root;

/// What the machine is prepared for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum For {
    /// Building and running the app.
    Development,
    /// The same, and driving its window in tests.
    Tests,
}

/// Prepares the machine. Two commands at the same time take turns.
pub fn ready(purpose: For) -> Outcome {
    let folder = root::records();
    fs::create_dir_all(&folder).map_err(io(format_args!("creating {}", folder.display())))?;
    let lock = File::create(folder.join("setup.lock")).map_err(io("opening the set-up lock"))?;
    lock.lock().map_err(io("waiting for another set-up"))?;

    node::check()?;
    system::ready(purpose)?;
    npm::ready()?;
    if purpose == For::Tests {
        npm::ready_in(npm::EXAMPLE, "some seconds")?;
        if cfg!(target_os = "linux") {
            tools::WEBDRIVER.ready()?;
        }
    }
    Ok(())
}
