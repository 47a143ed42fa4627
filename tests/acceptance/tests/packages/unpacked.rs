//! A package, unpacked into a folder of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use vestibule_acceptance::bundles;

/// The package in its folder, which goes when this is dropped.
pub struct Unpacked {
    tree: tempfile::TempDir,
}

impl Unpacked {
    /// The .deb.
    pub fn deb() -> Self {
        Self::of("deb", |package, into| {
            let mut unpack = Command::new("dpkg-deb");
            unpack.arg("-x").arg(package).arg(into);
            unpack
        })
    }

    /// The .rpm.
    pub fn rpm() -> Self {
        Self::of("rpm", |package, into| {
            let mut unpack = Command::new("bsdtar");
            unpack.arg("-xf").arg(package).arg("-C").arg(into);
            unpack
        })
    }

    fn of(kind: &str, unpack: impl Fn(&Path, &Path) -> Command) -> Self {
        let package = the_only(&bundles().join(kind), kind);
        let tree = tempfile::tempdir().expect("a folder");
        let status = unpack(&package, tree.path()).status();
        let status = status.unwrap_or_else(|error| {
            panic!("the .{kind} cannot be unpacked: {error} (`cargo xtask setup` installs what the tests need)")
        });
        assert!(status.success(), "{} unpacks", package.display());
        Self { tree }
    }

    /// What would be `/usr`.
    pub fn usr(&self) -> PathBuf {
        self.tree.path().join("usr")
    }

    /// The app.
    pub fn app(&self) -> PathBuf {
        self.usr().join("bin/vestibule")
    }
}

/// The only file in a folder that ends so.
pub fn the_only(folder: &Path, extension: &str) -> PathBuf {
    let files =
        std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found: Vec<_> = files
        .flatten()
        .map(|file| file.path())
        .filter(|file| file.extension().is_some_and(|end| end == extension))
        .collect();
    assert_eq!(found.len(), 1, "in {}: {found:?}", folder.display());
    found.remove(0)
}
