//! Package names by family of Linux distributions, and the parsing of each family's answer to
//! "which of these are installed". No command is run here.

use std::process::Command;

/// The names that one package has had; any of them will do.
pub type Choice = &'static [&'static str];

/// A family of distributions that share a package manager and names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Family {
    /// Debian, Ubuntu and their derivatives.
    Debian,
    /// Fedora and its derivatives.
    Fedora,
    /// Arch and its derivatives.
    Arch,
}

const DEBIAN_BUILD: &[Choice] = &[
    &["build-essential"],
    &["pkg-config", "pkgconf"],
    &["file"],
    &["libwebkit2gtk-4.1-dev"],
    &["libxdo-dev"],
    &["libssl-dev"],
    &["libayatana-appindicator3-dev"],
    &["librsvg2-dev"],
];
const DEBIAN_TEST: &[Choice] = &[
    &["webkit2gtk-driver", "webkitgtk-webdriver"],
    &["xvfb"],
    &["xauth"],
    &["dbus"],
    &["dbus-x11"],
    &["gnome-keyring"],
    &["libsecret-tools"],
    &["xdotool"],
    &["libarchive-tools"],
    &["libglib2.0-bin"],
    &["desktop-file-utils"],
    &["iproute2"],
    // The system's browser of a sign-in outside of the app.
    &["chromium"],
    &["chromium-driver"],
];

const FEDORA_BUILD: &[Choice] = &[
    &["gcc"],
    &["gcc-c++"],
    &["make"],
    &["file"],
    &["webkit2gtk4.1-devel"],
    &["libxdo-devel"],
    &["openssl-devel"],
    &["libappindicator-gtk3-devel"],
    &["librsvg2-devel"],
];
const FEDORA_TEST: &[Choice] = &[
    &["webkitgtk6.0"],
    &["xorg-x11-server-Xvfb"],
    &["xorg-x11-xauth"],
    &["dbus-daemon"],
    &["gnome-keyring"],
    &["libsecret"],
    &["xdotool"],
    &["bsdtar"],
    &["glib2"],
    &["desktop-file-utils"],
    &["iproute"],
];

const ARCH_BUILD: &[Choice] = &[
    &["base-devel"],
    &["file"],
    &["webkit2gtk-4.1"],
    &["xdotool"],
    &["openssl"],
    &["libappindicator-gtk3"],
    &["librsvg"],
];
const ARCH_TEST: &[Choice] = &[
    &["webkitgtk-6.0"],
    &["xorg-server-xvfb"],
    &["xorg-xauth"],
    &["dbus"],
    &["gnome-keyring"],
    &["libsecret"],
    &["libarchive"],
    &["glib2"],
    &["desktop-file-utils"],
    &["iproute2"],
];

impl Family {
    /// Parses `/etc/os-release`.
    pub fn of(release: &str) -> Option<Self> {
        let value = |key: &str| {
            let line = release
                .lines()
                .find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
            line.unwrap_or_default().trim_matches('"').to_owned()
        };
        let ids = format!("{} {}", value("ID"), value("ID_LIKE"));
        ids.split_whitespace().find_map(|id| match id {
            "debian" | "ubuntu" => Some(Self::Debian),
            "fedora" | "rhel" | "centos" => Some(Self::Fedora),
            "arch" => Some(Self::Arch),
            _ => None,
        })
    }

    /// The packages that building needs, and those for tests as well if asked for.
    pub fn wanted(self, tests: bool) -> Vec<Choice> {
        let (build, test) = match self {
            Self::Debian => (DEBIAN_BUILD, DEBIAN_TEST),
            Self::Fedora => (FEDORA_BUILD, FEDORA_TEST),
            Self::Arch => (ARCH_BUILD, ARCH_TEST),
        };
        let test = if tests { test } else { &[] };
        build.iter().chain(test).copied().collect()
    }

    /// The command that tells which packages are installed; their names are appended to it.
    pub fn query(self) -> Command {
        let words: &[&str] = match self {
            Self::Debian => &[
                "dpkg-query",
                "-W",
                "-f",
                "${Package} ${db:Status-Status}\\n",
            ],
            Self::Fedora => &["rpm", "-q", "--whatprovides"],
            Self::Arch => &["pacman", "-T"],
        };
        let mut command = Command::new(words[0]);
        // The output is parsed, so it must not be translated.
        command.env("LC_ALL", "C").args(&words[1..]);
        command
    }

    /// The packages of which the output names no alternative as installed.
    pub fn missing(self, answer: &str, wanted: &[Choice]) -> Vec<Choice> {
        let installed = |name: &str| match self {
            Self::Debian => answer
                .lines()
                .any(|line| line == format!("{name} installed")),
            Self::Fedora => !answer.lines().any(|line| {
                line == format!("no package provides {name}")
                    || line == format!("package {name} is not installed")
            }),
            // pacman prints only what is missing.
            Self::Arch => !answer.lines().any(|line| line.trim() == name),
        };
        wanted
            .iter()
            .copied()
            .filter(|choice| !choice.iter().any(|name| installed(name)))
            .collect()
    }

    /// The command with which a person installs packages.
    pub fn by_hand(self, packages: &[String]) -> String {
        let command = match self {
            Self::Debian => "apt-get install -y",
            Self::Fedora => "dnf install -y",
            Self::Arch => "pacman -S --needed",
        };
        let sudo = if is_root() { "" } else { "sudo " };
        let update = if self == Self::Debian {
            format!("{sudo}apt-get update && ")
        } else {
            String::new()
        };
        format!("{update}{sudo}{command} {}", packages.join(" "))
    }
}

/// Whether this process runs as root.
pub fn is_root() -> bool {
    #[cfg(unix)]
    return rustix::process::geteuid().is_root();
    #[cfg(not(unix))]
    return false;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_by_id_or_by_likeness() {
        assert_eq!(
            Family::of("NAME=\"Debian\"\nID=debian\n"),
            Some(Family::Debian)
        );
        assert_eq!(
            Family::of("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"),
            Some(Family::Debian)
        );
        assert_eq!(Family::of("ID=fedora\n"), Some(Family::Fedora));
        assert_eq!(
            Family::of("ID=rocky\nID_LIKE=\"rhel centos fedora\"\n"),
            Some(Family::Fedora)
        );
        assert_eq!(Family::of("ID=manjaro\nID_LIKE=arch\n"), Some(Family::Arch));
        assert_eq!(Family::of("ID=nixos\n"), None);
        assert_eq!(Family::of(""), None);
        assert_eq!(
            Family::of("VERSION_ID=debian\n"),
            None,
            "only ID and ID_LIKE count"
        );
    }

    #[test]
    fn a_fresh_debian_misses_everything_and_a_ready_one_nothing() {
        let wanted = Family::Debian.wanted(true);
        assert_eq!(Family::Debian.missing("", &wanted).len(), wanted.len());
        let ready: String = wanted
            .iter()
            .map(|choice| format!("{} installed\n", choice[0]))
            .collect();
        assert!(Family::Debian.missing(&ready, &wanted).is_empty());
    }

    #[test]
    fn removed_or_half_installed_packages_count_as_missing() {
        let answer = "xvfb config-files\nfile half-configured\ndbus installed\n\
                      dpkg-query: no packages found matching libxdo-dev\n";
        let wanted: &[Choice] = &[&["xvfb"], &["file"], &["dbus"], &["libxdo-dev"]];
        let expected: &[Choice] = &[&["xvfb"], &["file"], &["libxdo-dev"]];
        assert_eq!(Family::Debian.missing(answer, wanted), expected);
    }

    #[test]
    fn one_name_must_not_be_found_inside_another() {
        let wanted: &[Choice] = &[&["dbus"]];
        assert_eq!(
            Family::Debian.missing("dbus-x11 installed\n", wanted).len(),
            1
        );
    }

    #[test]
    fn a_package_under_its_newer_name_counts() {
        let wanted: &[Choice] = &[&["webkit2gtk-driver", "webkitgtk-webdriver"]];
        assert!(
            Family::Debian
                .missing("webkitgtk-webdriver installed\n", wanted)
                .is_empty()
        );
    }

    #[test]
    fn the_answers_of_rpm_and_pacman() {
        let wanted: &[Choice] = &[&["gcc"], &["libxdo-devel"]];
        let expected: &[Choice] = &[&["libxdo-devel"]];
        assert_eq!(
            Family::Fedora.missing("gcc-14.2\nno package provides libxdo-devel\n", wanted),
            expected
        );
        let wanted: &[Choice] = &[&["dbus"], &["xdotool"]];
        let expected: &[Choice] = &[&["xdotool"]];
        assert_eq!(Family::Arch.missing("xdotool\n", wanted), expected);
    }

    #[test]
    fn development_needs_no_virtual_display() {
        let names: Vec<_> = Family::Debian.wanted(false).concat();
        assert!(names.contains(&"libwebkit2gtk-4.1-dev"));
        assert!(!names.contains(&"xvfb"));
    }
}
