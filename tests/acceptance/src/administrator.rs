//! An administrator of this machine as some processes alone see it: `/etc` is theirs in a mount
//! namespace, which needs root. Nothing of the machine itself is changed.

use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// The identifier of the app under test.
const IDENTIFIER: &str = "dev.vestibule.desktop";

/// Makes `/etc/$3/policy.toml` of `$2/policy.toml` over an empty folder in `$1`, with an owner and
/// a mode; then becomes the user that started it again, and the program.
const SCRIPT: &str = r#"set -eu
empty=$1 from=$2 name=$3 owner=$4 mode=$5 user=$6 group=$7
shift 7
mount -t overlay overlay -o "lowerdir=$empty:/etc" /etc
mount -t tmpfs -o mode=0755 tmpfs "/etc/$name"
cp "$from/policy.toml" "/etc/$name/policy.toml"
chmod "$mode" "/etc/$name/policy.toml"
chown "$owner" "/etc/$name/policy.toml"
exec setpriv --reuid "$user" --regid "$group" --clear-groups "$@""#;

/// A policy that some processes find.
pub struct Administrator {
    /// Holds an empty folder of the app's name, to be laid over `/etc`, and the policy.
    folder: TempDir,
    owner: u32,
    mode: &'static str,
}

impl Administrator {
    /// One who has written this, as an administrator does.
    ///
    /// # Panics
    /// If there is no place for it.
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

    /// Where programs find it.
    #[must_use]
    pub fn file() -> String {
        format!("/etc/{IDENTIFIER}/policy.toml")
    }

    /// The same program, on a machine with this policy.
    ///
    /// # Panics
    /// If the caller is not root and may not become it without a password: a mount namespace
    /// with a file of root's cannot be made by anybody else.
    #[must_use]
    pub fn over(&self, program: &Command) -> Command {
        let own = std::fs::metadata(self.folder.path()).expect("our own folder");
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
            // It forgets the environment: `env` says it again.
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
