//! What is measured: the app as it ships and as WebDriver drives it, and what it is compared
//! with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Outcome, io};
use crate::setup::{self, npm};
use crate::{app, bundle, compile, export, process, root, say};

/// Something that an entry needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    Shipped,
    Packages,
    Driven,
    Export,
    BlankWindow,
    BlankExport,
    Web,
}

impl Build {
    /// By the name that the measuring program gives it.
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "shipped" => Self::Shipped,
            "packages" => Self::Packages,
            "driven" => Self::Driven,
            "export" => Self::Export,
            "export" => Self::Export,
            "blank-window" => Self::BlankWindow,
            "blank-export" => Self::BlankExport,
            "web" => Self::Web,
            _ => return None,
        })
    }

    /// Makes it.
    pub fn make(self) -> Outcome {
        match self {
            Self::Shipped => {
                export::ready()?;
                keep(&app::build_shipped()?, "vestibule")
            }
            Self::Packages => {
                export::ready()?;
                bundle::linux().map(drop)
            }
            Self::Driven => {
                export::ready()?;
                app::build_e2e().map(drop)
            }
            Self::Export => export::ready().map(drop),
            Self::Export => export::ready().map(drop),
            Self::BlankWindow => blank_windows(),
            Self::BlankExport => next("tests/bench/blank-next"),
            Self::Web => next("tests/bench/web"),
        }
    }
}

/// Where the measuring program finds it.
pub fn environment() -> [(&'static str, PathBuf); 5] {
    [
        ("VESTIBULE_APP", app::e2e_path()),
        ("VESTIBULE_TAURI_DRIVER", setup::driver::path()),
        ("VESTIBULE_BUNDLES", bundle::folder()),
        ("VESTIBULE_BENCH_SHIPPED", kept("vestibule")),
        ("VESTIBULE_BENCH_BLANK", kept("vestibule-blank")),
    ]
}

fn blank_windows() -> Outcome {
    say::step("building the blank window as the app is built");
    for name in ["vestibule-blank", "vestibule-bare"] {
        let package = [
            "--package",
            "vestibule-blank",
            "--release",
            "--features",
            "tauri/custom-protocol",
        ];
        keep(&compile::binary(name, &package)?, name)?;
    }
    Ok(())
}

/// Installs and builds a Next app of the suite.
fn next(folder: &str) -> Outcome {
    npm::ready_in(folder, "some seconds")?;
    say::step(format_args!("building {folder} (some seconds)"));
    let mut next = Command::new(process::npm());
    next.args(["run", "--silent", "build"])
        .current_dir(root::root().join(folder))
        .env("NEXT_TELEMETRY_DISABLED", "1");
    process::quiet(&mut next)
}

/// In a folder of their own: the next build of the same name has other features.
fn kept(name: &str) -> PathBuf {
    root::target().join("bench").join(name)
}

fn keep(built: &Path, name: &str) -> Outcome {
    let path = kept(name);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(io(format_args!("creating {}", folder.display())))?;
    }
    // A running copy cannot be written over, but it can be replaced.
    let fresh = path.with_extension("new");
    fs::copy(built, &fresh).map_err(io(format_args!("copying {}", built.display())))?;
    fs::rename(&fresh, &path).map_err(io(format_args!("placing {}", path.display())))
}
