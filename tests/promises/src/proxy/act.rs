//! What the proxy does to a request, as data, so that faults can be listed in a table.

use std::fmt;
use std::sync::Arc;

use super::script::{End, Script};

/// What the proxy does.
#[derive(Clone)]
pub enum Act {
    /// It does not listen: connections are refused, and open ones are reset.
    Refuse,
    /// It listens but accepts nothing: the queue is full, so that a connection is never
    /// established.
    Deaf,
    /// It accepts the connection, reads nothing, and ends it in this way.
    Accept(End),
    /// It reads the request and sends this; the backend does not receive it.
    Instead(Script),
    /// The backend does its work, and its answer is turned into this.
    Spoil(Arc<dyn Fn(Answer) -> Script + Send + Sync>),
}

impl fmt::Debug for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refuse => f.write_str("Refuse"),
            Self::Deaf => f.write_str("Deaf"),
            Self::Accept(end) => f.debug_tuple("Accept").field(end).finish(),
            Self::Instead(_) => f.write_str("Instead"),
            Self::Spoil(_) => f.write_str("Spoil"),
        }
    }
}

impl Act {
    /// An [`Act::Spoil`] of this function.
    pub fn spoil(how: impl Fn(Answer) -> Script + Send + Sync + 'static) -> Self {
        Self::Spoil(Arc::new(how))
    }
}

/// The backend's true answer. Holds tokens, so it has no `Debug`.
#[derive(Clone)]
pub struct Answer {
    /// The status line and the headers, with the empty line after them.
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// The head and the body in one.
    pub fn bytes(self) -> Vec<u8> {
        let mut bytes = self.head.into_bytes();
        bytes.extend(self.body);
        bytes
    }

    /// Adds header lines, given without their line ends.
    #[must_use]
    pub fn with_headers(mut self, lines: &str) -> Self {
        let end = self.head.len() - 2;
        self.head.insert_str(end, &format!("{lines}\r\n"));
        self
    }

    /// Removes every header of this name.
    #[must_use]
    pub fn without_header(mut self, name: &str) -> Self {
        let is_it = |line: &str| {
            line.split_once(':')
                .is_some_and(|(key, _)| key.eq_ignore_ascii_case(name))
        };
        let kept = self
            .head
            .split_inclusive("\r\n")
            .filter(|line| !is_it(line));
        self.head = kept.collect();
        self
    }
}

impl From<Answer> for Script {
    fn from(answer: Answer) -> Self {
        Self::of(answer.bytes(), End::Keep)
    }
}
