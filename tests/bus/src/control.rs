//! The socket over which a running gnome-keyring receives the login password, as from the PAM
//! module. There is no other way to unlock it without a prompt.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;

const UNLOCK: u32 = 1;

/// Unlocks the login keyring.
pub fn unlock(socket: &Path, password: &str) -> io::Result<()> {
    let number = |number: usize| u32::try_from(number).map_err(io::Error::other);
    let mut said = vec![0]; // carries our credentials
    said.extend(number(4 + 4 + 4 + password.len())?.to_be_bytes());
    said.extend(UNLOCK.to_be_bytes());
    said.extend(number(password.len())?.to_be_bytes());
    said.extend(password.as_bytes());
    let mut stream = UnixStream::connect(socket)?;
    stream.write_all(&said)?;
    let mut answer = [0; 8];
    stream.read_exact(&mut answer)?;
    match answer {
        [0, 0, 0, 8, 0, 0, 0, 0] => Ok(()),
        _ => Err(io::Error::other("the keyring refuses to be unlocked")),
    }
}
