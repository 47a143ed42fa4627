//! The TCP stream of a connection, which a fault can have cut: at once or after a number of bytes
//! of the answer, by an orderly close or by a reset.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use crate::faults::Cut;

/// How much of an answer is sent before the cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Allowance {
    /// This many bytes, headers included.
    Bytes(usize),
    /// The whole head and this many bytes of the body.
    Head(usize),
}

/// The cut that is planned for a connection, shared by the stream, its task and the faults.
#[derive(Default)]
pub(crate) struct ConnectionControl {
    plan: Mutex<Option<Plan>>,
    cut: Notify,
}

struct Plan {
    how: Cut,
    allowance: Allowance,
    written: usize,
    /// How much of the blank line that ends the head has been sent, 0 to 4.
    blank: usize,
    /// How many bytes of the body may still be sent once the head is out.
    body: Option<usize>,
}

impl Plan {
    fn new(how: Cut, allowance: Allowance) -> Self {
        Self {
            how,
            allowance,
            written: 0,
            blank: 0,
            body: None,
        }
    }

    /// How many of these bytes may still be sent.
    fn room(&self, bytes: &[u8]) -> usize {
        match self.allowance {
            Allowance::Bytes(allowed) => bytes.len().min(allowed.saturating_sub(self.written)),
            Allowance::Head(body) => {
                let (mut blank, mut left) = (self.blank, self.body);
                for (index, byte) in bytes.iter().enumerate() {
                    match &mut left {
                        Some(0) => return index,
                        Some(left) => *left -= 1,
                        None => {
                            blank = next_blank(blank, *byte);
                            left = (blank == 4).then_some(body);
                        }
                    }
                }
                bytes.len()
            }
        }
    }

    /// Counts these bytes as sent.
    fn went(&mut self, bytes: &[u8]) {
        self.written += bytes.len();
        for byte in bytes {
            match (&mut self.body, self.allowance) {
                (Some(left), _) => *left = left.saturating_sub(1),
                (None, Allowance::Head(body)) => {
                    self.blank = next_blank(self.blank, *byte);
                    self.body = (self.blank == 4).then_some(body);
                }
                (None, Allowance::Bytes(_)) => {}
            }
        }
    }

    fn spent(&self) -> bool {
        match self.allowance {
            Allowance::Bytes(allowed) => self.written >= allowed,
            Allowance::Head(_) => self.body == Some(0),
        }
    }
}

fn next_blank(blank: usize, byte: u8) -> usize {
    match (blank, byte) {
        (0 | 2, b'\r') | (1 | 3, b'\n') => blank + 1,
        (_, b'\r') => 1,
        _ => 0,
    }
}

impl ConnectionControl {
    /// Plans a cut after this much of what is written from now on.
    pub fn cut_after(&self, allowance: Allowance, how: Cut) {
        *self.lock() = Some(Plan::new(how, allowance));
    }

    /// Cuts now, before another byte is sent.
    pub fn cut_now(&self, how: Cut) {
        self.cut_after(Allowance::Bytes(0), how);
        self.cut.notify_one();
    }

    /// Resolves when the connection is to be dropped.
    pub async fn comes(&self) {
        self.cut.notified().await;
        let begun = self.lock().as_ref().is_some_and(|plan| plan.written > 0);
        if begun {
            // On some systems a reset overtakes bytes that the peer has not read yet.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Plan>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream that applies the planned cut.
pub(crate) struct Wire {
    stream: TcpStream,
    control: Arc<ConnectionControl>,
}

impl Wire {
    pub fn new(stream: TcpStream, control: Arc<ConnectionControl>) -> Self {
        Self { stream, control }
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        let reset = matches!(&*self.control.lock(), Some(plan) if plan.how == Cut::Reset);
        if reset {
            // With a linger of zero, closing the socket sends a reset.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let control = Arc::clone(&self.control);
        let mut plan = control.lock();
        let Some(plan) = plan.as_mut() else {
            return Pin::new(&mut self.stream).poll_write(cx, bytes);
        };
        let room = plan.room(bytes);
        if room == 0 && !bytes.is_empty() {
            // The connection's task drops this stream; nothing more is written to it.
            control.cut.notify_one();
            return Poll::Pending;
        }
        let polled = Pin::new(&mut self.stream).poll_write(cx, &bytes[..room]);
        if let Poll::Ready(Ok(written)) = polled {
            plan.went(&bytes[..written]);
            if plan.spent() {
                control.cut.notify_one();
            }
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes an answer in pieces; returns what the plan lets through.
    fn through(allowance: Allowance, pieces: &[&str]) -> String {
        let mut plan = Plan::new(Cut::Close, allowance);
        let mut out = String::new();
        for piece in pieces {
            let room = plan.room(piece.as_bytes());
            plan.went(&piece.as_bytes()[..room]);
            out += &piece[..room];
            if plan.spent() {
                return out + "|";
            }
        }
        out
    }

    #[test]
    fn the_head_is_found_wherever_the_writes_are_split() {
        let answer = "HTTP/1.1 200 OK\r\na: b\r\n\r\nbody";
        for split in 0..answer.len() {
            let pieces = [&answer[..split], &answer[split..]];
            assert_eq!(
                through(Allowance::Head(0), &pieces),
                "HTTP/1.1 200 OK\r\na: b\r\n\r\n|"
            );
            assert_eq!(
                through(Allowance::Head(2), &pieces),
                "HTTP/1.1 200 OK\r\na: b\r\n\r\nbo|"
            );
            assert_eq!(through(Allowance::Bytes(9), &pieces), "HTTP/1.1 |");
        }
    }
}
