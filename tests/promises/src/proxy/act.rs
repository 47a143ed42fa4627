//! What the proxy does to a request: data, so that a table of faults can be written down.

use std::fmt;
use std::sync::Arc;

use super::script::{End, Script};

/// What happens.
#[derive(Clone)]
pub enum Act {
    /// Nobody listens: connections are refused, and those that stand are reset.
    Refuse,
    /// Somebody listens but takes no one in: the queue is full and no connection comes about.
    Deaf,
    /// The connection is taken, not read, and ended in this way.
    Accept(End),
    /// The request is read, and this is sent; the backend hears nothing of it.
    Instead(Script),
    /// The backend does its work, and its answer is made into this.
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
    /// See [`Act::Spoil`].
    pub fn spoil(how: impl Fn(Answer) -> Script + Send + Sync + 'static) -> Self {
        Self::Spoil(Arc::new(how))
    }
}

/// The backend's true answer. Holds tokens, so it has no `Debug`.
#[derive(Clone)]
pub struct Answer {
    /// Status line and headers, up to and with the empty line.
    pub head: String,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Head and body as they came.
    pub fn bytes(self) -> Vec<u8> {
        let mut bytes = self.head.into_bytes();
        bytes.extend(self.body);
        bytes
    }

    /// Puts header lines in, each without its line end.
    #[must_use]
    pub fn with_headers(mut self, lines: &str) -> Self {
        let end = self.head.len() - 2;
        self.head.insert_str(end, &format!("{lines}\r\n"));
        self
    }

    /// Takes every header of this name away.
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
