//! A package that was unpacked into a temporary folder.

use std::path::{Path, PathBuf};
use std::process::Command;

use vestibule_acceptance::bundles;

/// The unpacked package; its folder is deleted when this is dropped.
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

    /// The folder that would be `/usr`.
    pub fn usr(&self) -> PathBuf {
        self.tree.path().join("usr")
    }

    /// The path of the app.
    pub fn app(&self) -> PathBuf {
        self.usr().join("bin/vestibule")
    }
}

/// The only file in a folder with this extension.
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
