//! Builds what is measured: the app as it ships and as WebDriver drives it, and the apps it is
//! compared with.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use crate::app::Profile;
use crate::failure::{Outcome, io, said};
use crate::setup::npm;
use crate::setup::tools::WEBDRIVER;
use crate::{app, bundle, compile, console, export, process, root};

/// The Next apps that the product is compared with; their npm packages are installed once.
pub const NEXT: &str = "tests/bench/next";

/// A build that an entry of the table needs.
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
    /// The build with this name, as the program `bench` prints it.
    pub fn of(name: &str) -> Option<Self> {
        Some(match name {
            "shipped" => Self::Shipped,
            "packages" => Self::Packages,
            "driven" => Self::Driven,
            "export" => Self::Export,
            "blank-window" => Self::BlankWindow,
            "blank-export" => Self::BlankExport,
            "web" => Self::Web,
            _ => return None,
        })
    }

    /// Makes the build, optimised as it ships.
    pub fn make(self) -> Outcome {
        match self {
            Self::Shipped => unpack(&packages()?),
            Self::Packages => packages().map(drop),
            Self::Driven => {
                export::ready()?;
                app::build_e2e(Profile::Release, &mut root::cargo()).map(drop)
            }
            Self::Export => export::ready().map(drop),
            Self::BlankWindow => blank_windows(Profile::Release),
            Self::BlankExport => next("blank", "out/index.html"),
            Self::Web => next("web", ".next/BUILD_ID"),
        }
    }
}

/// The variables that tell the program `bench` where the builds are.
pub fn environment(profile: Profile) -> [(&'static str, PathBuf); 5] {
    [
        ("VESTIBULE_APP", app::e2e_path(profile)),
        ("VESTIBULE_TAURI_DRIVER", WEBDRIVER.path()),
        ("VESTIBULE_BUNDLES", bundle::folder(profile)),
        ("VESTIBULE_BENCH_SHIPPED", kept("vestibule")),
        ("VESTIBULE_BENCH_BLANK", kept("vestibule-blank")),
    ]
}

/// The packages, made once: they are measured, and the shipped app is taken from one of them.
fn packages() -> Outcome<PathBuf> {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    if let Some(made) = MADE.get() {
        return Ok(made.clone());
    }
    export::ready()?;
    let folder = bundle::linux(Profile::Release)?;
    Ok(MADE.get_or_init(|| folder).clone())
}

/// Unpacks the shipped app from the package.
fn unpack(packages: &Path) -> Outcome {
    let folder = packages.join("deb");
    let files = fs::read_dir(&folder).map_err(io(format_args!("reading {}", folder.display())))?;
    let files = files.flatten().map(|file| file.path());
    let mut packages = files.filter(|file| file.extension().is_some_and(|end| end == "deb"));
    let package = packages.next();
    let package = package.ok_or_else(|| said("the Tauri CLI made no .deb"))?;
    let tree = kept("package");
    let _ = fs::remove_dir_all(&tree);
    fs::create_dir_all(&tree).map_err(io(format_args!("creating {}", tree.display())))?;
    let mut unpack = Command::new("dpkg-deb");
    process::quiet(unpack.arg("-x").arg(package).arg(&tree))?;
    keep(&tree.join("usr/bin/vestibule"), "vestibule")
}

/// Builds the comparison apps and unpacks the product from its package, for the short forms in the
/// test command.
pub fn for_tests() -> Outcome {
    unpack(&bundle::folder(Profile::Tested))?;
    blank_windows(Profile::Tested)?;
    Build::BlankExport.make()?;
    Build::Web.make()
}

/// Builds the blank windows with the app's profile and in its target folder, so that their
/// dependencies have the same features and are not compiled again.
fn blank_windows(profile: Profile) -> Outcome {
    console::step("building the blank window as the app is built");
    for name in ["vestibule-blank", "vestibule-bare"] {
        let beside = ["--package", "vestibule", "--package", "vestibule-blank"];
        let features = ["--features", "vestibule/e2e,tauri/custom-protocol"];
        let how = ["--profile", profile.name()];
        let arguments = [&beside[..], &how, &features].concat();
        let mut cargo = root::cargo();
        app::as_the_cli_builds(&mut cargo);
        keep(&compile::binary_by(&mut cargo, name, &arguments)?, name)?;
    }
    Ok(())
}

/// Builds a Next app of the suite unless it is built from the current sources.
fn next(name: &str, made: &str) -> Outcome {
    npm::ready_in(NEXT, "some seconds")?;
    let folder = root::root().join(NEXT);
    let sources = export::digest(&folder)?;
    let stamp = root::records().join(format!("bench-{name}.stamp"));
    let is_made = folder.join(name).join(made).exists();
    if is_made && fs::read_to_string(&stamp).is_ok_and(|known| known == sources) {
        return Ok(());
    }
    console::step(format_args!("building {NEXT}/{name} (some seconds)"));
    // Without the stamp, an interrupted build counts as not built.
    let _ = fs::remove_file(&stamp);
    let mut next = Command::new(process::npm());
    next.args(["run", "--silent", name])
        .current_dir(folder)
        .env("NEXT_TELEMETRY_DISABLED", "1");
    process::quiet(&mut next)?;
    fs::write(&stamp, sources).map_err(io(format_args!("recording {NEXT}/{name}")))
}

/// Where a build is kept: the next one with the same name has other features.
fn kept(name: &str) -> PathBuf {
    root::target().join("bench").join(name)
}

fn keep(built: &Path, name: &str) -> Outcome {
    let path = kept(name);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(io(format_args!("creating {}", folder.display())))?;
    }
    // A running program cannot be overwritten, but it can be replaced.
    let fresh = path.with_extension("new");
    fs::copy(built, &fresh).map_err(io(format_args!("copying {}", built.display())))?;
    fs::rename(&fresh, &path).map_err(io(format_args!("placing {}", path.display())))
}
