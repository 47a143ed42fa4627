//! An administrator's policy that only some processes see: they get an `/etc` of their own in a
//! mount namespace, which needs root. The machine itself is not changed.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// The identifier of the app under test.
const IDENTIFIER: &str = "dev.vestibule.desktop";

/// Mounts an empty folder `$1` with a copy of `$2/policy.toml` over `/etc/$3`, with the given owner
/// and mode; then becomes the user that started it again, and runs the program.
const SCRIPT: &str = r#"set -eu
empty=$1 from=$2 name=$3 owner=$4 mode=$5 user=$6 group=$7
shift 7
mount -t overlay overlay -o "lowerdir=$empty:/etc" /etc
mount -t tmpfs -o mode=0755 tmpfs "/etc/$name"
cp "$from/policy.toml" "/etc/$name/policy.toml"
chmod "$mode" "/etc/$name/policy.toml"
chown "$owner" "/etc/$name/policy.toml"
exec setpriv --reuid "$user" --regid "$group" --clear-groups "$@""#;

/// An administrator's policy for some processes.
pub struct Administrator {
    /// Holds the policy and an empty folder with the app's name, which is mounted below `/etc`.
    folder: TempDir,
    owner: u32,
    mode: &'static str,
}

impl Administrator {
    /// A policy with this text, owned and readable as an administrator's file is.
    ///
    /// # Panics
    /// If the file cannot be written.
    #[must_use]
    pub fn who_wrote(policy: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let empty = folder.path().join("empty").join(IDENTIFIER);
        std::fs::create_dir_all(empty).expect("a folder");
        std::fs::write(folder.path().join("policy.toml"), policy).expect("a file");
        Self {
            folder,
            owner: 0,
            mode: "0644",
        }
    }

    /// The same file, owned by another user.
    #[must_use]
    pub fn owned_by(mut self, owner: u32) -> Self {
        self.owner = owner;
        self
    }

    /// The same file, with another mode.
    #[must_use]
    pub fn with_mode(mut self, mode: &'static str) -> Self {
        self.mode = mode;
        self
    }

    /// The path at which programs find it.
    #[must_use]
    pub fn file() -> String {
        format!("/etc/{IDENTIFIER}/policy.toml")
    }

    /// The same program, on a machine with this policy.
    ///
    /// # Panics
    /// If the caller is not root and cannot use `sudo` without a password: only root can make a
    /// mount namespace with a file that belongs to root.
    #[must_use]
    pub fn over(&self, program: &Command) -> Command {
        let own = std::fs::metadata(self.folder.path()).expect("the folder of the policy");
        let mut command = if own.uid() == 0 {
            Command::new("unshare")
        } else {
            let mut sudo = Command::new("sudo");
            let may = sudo.args(["-n", "true"]).status();
            assert!(
                may.is_ok_and(|status| status.success()),
                "the tests of an administrator's policy need root, or `sudo` without a password"
            );
            let mut sudo = Command::new("sudo");
            // `sudo` clears the environment, so `env` sets the variables again.
            sudo.args(["-n", "unshare"]);
            sudo
        };
        let folder: &Path = self.folder.path();
        command
            .args(["-m", "sh", "-c", SCRIPT, "sh"])
            .arg(folder.join("empty"))
            .arg(folder)
            .arg(IDENTIFIER)
            .arg(self.owner.to_string())
            .arg(self.mode)
            .arg(own.uid().to_string())
            .arg(own.gid().to_string())
            .arg("env");
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => {
                    let mut pair = name.to_owned();
                    pair.push("=");
                    pair.push(value);
                    command.arg(pair);
                }
                None => {
                    command.env_remove(name);
                }
            }
        }
        command.arg(program.get_program()).args(program.get_args());
        if let Some(folder) = program.get_current_dir() {
            command.current_dir(folder);
        }
        command
    }
}
