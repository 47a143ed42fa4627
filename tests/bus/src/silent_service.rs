//! A connection to the bus that has a name and never answers, with just enough of the protocol.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Dropping it disconnects; then callers who wait for an answer get an error.
pub struct SilentService {
    stream: UnixStream,
    heard: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl SilentService {
    /// Asks for the name; the caller has to check whether the bus gives it.
    pub(crate) fn connect(socket: &Path, name: &str) -> io::Result<Self> {
        let mut stream = UnixStream::connect(socket)?;
        let user = rustix::process::getuid().as_raw().to_string();
        let user: String = user.bytes().map(|byte| format!("{byte:02x}")).collect();
        write!(stream, "\0AUTH EXTERNAL {user}\r\n")?;
        let mut reader = BufReader::new(stream.try_clone()?);
        let mut answer = String::new();
        reader.read_line(&mut answer)?;
        if !answer.starts_with("OK ") {
            return Err(io::Error::other("the bus refuses the login"));
        }
        stream.write_all(b"BEGIN\r\n")?;
        stream.write_all(&call(1, "Hello", &[]))?;
        let mut arguments = Vec::new();
        text(&mut arguments, name);
        pad(&mut arguments, 4);
        arguments.extend(DO_NOT_QUEUE.to_le_bytes());
        stream.write_all(&call(2, "RequestName", &arguments))?;
        // The bus disconnects a client that does not read.
        let heard = Arc::new(Mutex::new(Vec::new()));
        let noted = heard.clone();
        let reader = std::thread::spawn(move || {
            let mut some = [0; 4096];
            while let Ok(read @ 1..) = reader.read(&mut some) {
                let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
                noted.extend(&some[..read]);
            }
        });
        Ok(Self {
            stream,
            heard,
            reader: Some(reader),
        })
    }
}

impl SilentService {
    /// How often this word was received, such as the name of a method.
    #[must_use]
    pub fn heard(&self, word: &str) -> usize {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let words = heard.windows(word.len());
        words.filter(|part| *part == word.as_bytes()).count()
    }
}

impl Drop for SilentService {
    fn drop(&mut self) {
        let _ = self.stream.shutdown(Shutdown::Both);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

const DO_NOT_QUEUE: u32 = 4;

/// A call to the bus itself, with the arguments of `RequestName` or with none.
fn call(serial: u32, member: &str, arguments: &[u8]) -> Vec<u8> {
    let bus = "org.freedesktop.DBus";
    let mut fields = Vec::new();
    field(&mut fields, 1, b"o", |out| {
        text(out, "/org/freedesktop/DBus")
    });
    field(&mut fields, 2, b"s", |out| text(out, bus));
    field(&mut fields, 3, b"s", |out| text(out, member));
    field(&mut fields, 6, b"s", |out| text(out, bus));
    if !arguments.is_empty() {
        field(&mut fields, 8, b"g", |out| out.extend(b"\x02su\0"));
    }
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or_default();
    // Little endian, a method call, no flags, version 1.
    let mut message = vec![b'l', 1, 0, 1];
    message.extend(length(arguments).to_le_bytes());
    message.extend(serial.to_le_bytes());
    message.extend(length(&fields).to_le_bytes());
    message.extend(fields);
    pad(&mut message, 8);
    message.extend(arguments);
    message
}

/// A header field. The fields begin at a multiple of eight, so that padding within them is padding
/// within the message.
fn field(out: &mut Vec<u8>, code: u8, kind: &[u8; 1], value: impl Fn(&mut Vec<u8>)) {
    pad(out, 8);
    out.extend([code, 1, kind[0], 0]);
    value(out);
}

fn text(out: &mut Vec<u8>, text: &str) {
    pad(out, 4);
    out.extend(u32::try_from(text.len()).unwrap_or_default().to_le_bytes());
    out.extend(text.as_bytes());
    out.push(0);
}

fn pad(out: &mut Vec<u8>, to: usize) {
    out.resize(out.len().next_multiple_of(to), 0);
}
