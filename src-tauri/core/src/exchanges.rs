//! The calls that pages have under way with their backends. A page begins each exchange with a
//! number that it chooses. An exchange ends with its page: no call continues for a window that was
//! closed or has loaded another page.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::backend::Download;
use crate::error::{AuthError, ErrorCode};
use crate::session::{Session, Upload, UploadAnswer};
use crate::wire::{FetchReply, FetchRequest, UploadReply, UploadRequest};

/// The most exchanges of one window. Beyond it, the answer that was left unread for the longest
/// time is dropped: a page may look at the status alone and never read the body.
const MAX_CALLS: usize = 64;
/// The most bytes of answers that wait in memory until their pages read them, for all windows
/// together. Beyond it, the window that holds most bytes drops an answer in the same way.
const UNREAD_BYTES_LIMIT: usize = 8 * 1024 * 1024;
/// How many pages that have gone are remembered. A command of such a page may arrive late.
const MAX_GONE_PAGES: usize = 256;
/// How many bits of an exchange's number count the exchanges of a page. The bits above them
/// identify the page.
const COUNT_BITS: u32 = 20;
/// The largest piece of an upload that a page may write at once.
pub const PIECE: usize = 256 * 1024;

/// Every window's exchanges.
#[derive(Default)]
pub struct Exchanges(Mutex<Windows>);

#[derive(Default)]
struct Windows {
    /// The windows whose pages have begun an exchange. A window that was left has no entry.
    by_label: HashMap<String, Window>,
    /// Pages that have gone, each with the label of its window.
    past: VecDeque<(String, u64)>,
}

#[derive(Default)]
struct Window {
    open: HashMap<u64, Arc<Exchange>>,
    /// The page that began the last exchange.
    page: Option<u64>,
}

struct Exchange {
    over: watch::Sender<bool>,
    /// Orders exchanges by their last use.
    used: AtomicU64,
    /// How many bytes of the answer wait in memory for the page.
    unread: AtomicUsize,
    stage: tokio::sync::Mutex<Stage>,
}

/// How far an exchange has come.
enum Stage {
    /// There is no body to write or read: not yet, or no longer.
    Asking,
    Giving(Upload),
    /// With the upload that is being answered, because the upload holds the connection.
    Reading(
        Download,
        #[expect(dead_code, reason = "holds the connection")] Option<Upload>,
    ),
}

/// An exchange of a window, while one command works on it.
struct At<'a> {
    all: &'a Exchanges,
    window: &'a str,
    number: u64,
    exchange: Arc<Exchange>,
}

impl Exchanges {
    /// A call with a small body or none.
    ///
    /// # Errors
    /// If the path is refused, there is no answer, or the page has gone.
    pub async fn fetch(
        &self,
        window: &str,
        number: u64,
        session: &Session,
        request: FetchRequest,
    ) -> Result<FetchReply, AuthError> {
        let at = self.open(window, number, Stage::Asking)?;
        let answered = at.work(async |stage| {
            let (reply, rest) = session.call(request).await?;
            Ok((reply, stage.go_on(rest, None)))
        });
        let reply = answered.await?;
        self.windows().bound_unread();
        Ok(reply)
    }

    /// Begins a call whose body comes in pieces. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// If the path is refused or the page has gone.
    pub fn upload(
        &self,
        window: &str,
        number: u64,
        session: &Session,
        request: &UploadRequest,
    ) -> Result<(), AuthError> {
        let upload = session.upload(request)?;
        self.open(window, number, Stage::Giving(upload)).map(drop)
    }

    /// Writes the next piece of an upload. Returns false if the backend wants no more of it;
    /// [`Exchanges::answer`] then says why. The piece is copied only once it may be sent.
    ///
    /// # Errors
    /// If the piece is too large, if the piece before it is still being sent (which ends the
    /// upload, since its body would lack a piece), or if there is no such upload.
    pub async fn write(&self, window: &str, number: u64, piece: &[u8]) -> Result<bool, AuthError> {
        if piece.len() > PIECE {
            let words = format!("A piece of a body has at most {PIECE} bytes.");
            return Err(AuthError::with_message(ErrorCode::TooLarge, words));
        }
        let at = self.at(window, number)?;
        let Ok(mut stage) = at.exchange.stage.try_lock() else {
            self.cancel(window, number);
            return Err(AuthError::with_message(
                ErrorCode::RateLimited,
                "Give the pieces of a body one after the other: each when the one before was \
                 taken.",
            ));
        };
        at.work_on(async || match &mut *stage {
            Stage::Giving(upload) => Ok((upload.write(piece.to_vec()).await, true)),
            Stage::Asking | Stage::Reading(..) => Err(over()),
        })
        .await
    }

    /// Ends the body of an upload and waits for the backend's answer.
    ///
    /// # Errors
    /// If there is no answer, or no such upload.
    pub async fn answer(&self, window: &str, number: u64) -> Result<UploadReply, AuthError> {
        let at = self.at(window, number)?;
        let answered = at.work(async |stage| {
            let Stage::Giving(upload) = stage else {
                return Err(over());
            };
            match upload.answer().await? {
                UploadAnswer::SendAgain => Ok((UploadReply::Again, true)),
                UploadAnswer::Answer(reply, rest) => {
                    let upload = match std::mem::replace(stage, Stage::Asking) {
                        Stage::Giving(upload) => Some(upload),
                        Stage::Asking | Stage::Reading(..) => None,
                    };
                    let rest = rest.map(|rest| *rest);
                    Ok((UploadReply::Answer { reply }, stage.go_on(rest, upload)))
                }
            }
        });
        let reply = answered.await?;
        self.windows().bound_unread();
        Ok(reply)
    }

    /// The next piece of an answer's body; empty at its end.
    ///
    /// # Errors
    /// If the answer broke off, or there is nothing to read.
    pub async fn read(&self, window: &str, number: u64) -> Result<Vec<u8>, AuthError> {
        let at = self.at(window, number)?;
        at.work(async |stage| match stage {
            Stage::Reading(download, _) => {
                let piece = download.read().await?;
                let more = piece.is_some();
                Ok((piece.unwrap_or_default(), more))
            }
            Stage::Asking | Stage::Giving(_) => Err(over()),
        })
        .await
    }

    /// Ends an exchange. Does nothing if it has ended already.
    pub fn cancel(&self, window: &str, number: u64) {
        if let Some(window) = self.windows().by_label.get_mut(window) {
            window.end(number);
        }
    }

    /// Ends the exchanges of a window that was closed or loads another page. Only the number of the
    /// page is kept, and only for the last [`MAX_GONE_PAGES`] pages of all windows.
    pub fn leave(&self, window: &str) {
        let mut windows = self.windows();
        if let Some((label, mut left)) = windows.by_label.remove_entry(window) {
            for number in left.open.keys().copied().collect::<Vec<_>>() {
                left.end(number);
            }
            windows.past.extend(left.page.map(|page| (label, page)));
            if windows.past.len() > MAX_GONE_PAGES {
                windows.past.pop_front();
            }
        }
    }

    /// How many exchanges of a window are under way.
    pub fn count(&self, window: &str) -> usize {
        let windows = self.windows();
        let window = windows.by_label.get(window);
        window.map_or(0, |window| window.open.len())
    }

    /// How many windows have an entry.
    pub fn windows_known(&self) -> usize {
        self.windows().by_label.len()
    }

    fn open<'a>(&'a self, window: &'a str, number: u64, stage: Stage) -> Result<At<'a>, AuthError> {
        let mut windows = self.windows();
        let page = number >> COUNT_BITS;
        let is_past = |(label, past): &(String, u64)| label == window && *past == page;
        if windows.past.iter().any(is_past) {
            return Err(over());
        }
        let held = windows.by_label.entry(window.to_owned()).or_default();
        if held.open.contains_key(&number) {
            return Err(over());
        }
        held.page = Some(page);
        if held.open.len() >= MAX_CALLS && !held.give_up_one(0) {
            let words = format!(
                "This window has {MAX_CALLS} requests under way. Wait until one of them ends, or end it."
            );
            return Err(AuthError::with_message(ErrorCode::Busy, words));
        }
        let exchange = Arc::new(Exchange {
            over: watch::Sender::new(false),
            used: AtomicU64::new(next_use()),
            unread: AtomicUsize::new(0),
            stage: tokio::sync::Mutex::new(stage),
        });
        held.open.insert(number, exchange.clone());
        Ok(At {
            all: self,
            window,
            number,
            exchange,
        })
    }

    fn at<'a>(&'a self, window: &'a str, number: u64) -> Result<At<'a>, AuthError> {
        let windows = self.windows();
        let held = windows
            .by_label
            .get(window)
            .and_then(|window| window.open.get(&number));
        let exchange = held.cloned().ok_or_else(over)?;
        exchange.used.store(next_use(), Ordering::Relaxed);
        Ok(At {
            all: self,
            window,
            number,
            exchange,
        })
    }

    fn windows(&self) -> MutexGuard<'_, Windows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl At<'_> {
    /// Does `work` on the stage as soon as no other command works on it.
    async fn work<T>(
        self,
        work: impl AsyncFnOnce(&mut Stage) -> Result<(T, bool), AuthError>,
    ) -> Result<T, AuthError> {
        let exchange = self.exchange.clone();
        self.work_on(async || {
            let mut stage = exchange.stage.lock().await;
            let done = work(&mut stage).await;
            exchange.unread.store(stage.unread(), Ordering::Relaxed);
            done
        })
        .await
    }

    /// Does `work`, which says whether the exchange goes on after it, unless the exchange
    /// ends first.
    async fn work_on<T>(
        &self,
        work: impl AsyncFnOnce() -> Result<(T, bool), AuthError>,
    ) -> Result<T, AuthError> {
        let mut end = self.exchange.over.subscribe();
        let done = tokio::select! {
            biased;
            _ = end.wait_for(|over| *over) => Err(over()),
            done = work() => done,
        };
        match done {
            Ok((value, true)) => Ok(value),
            Ok((value, false)) => {
                self.all.cancel(self.window, self.number);
                Ok(value)
            }
            Err(error) => {
                self.all.cancel(self.window, self.number);
                Err(error)
            }
        }
    }
}

impl Windows {
    /// Drops unread answers until at most [`UNREAD_BYTES_LIMIT`] bytes are held.
    fn bound_unread(&mut self) {
        loop {
            let windows = self.by_label.values_mut();
            let held: Vec<_> = windows.map(|window| (window.unread(), window)).collect();
            let all: usize = held.iter().map(|(bytes, _)| bytes).sum();
            let most = held.into_iter().max_by_key(|(bytes, _)| *bytes);
            let Some((_, window)) = most.filter(|_| all > UNREAD_BYTES_LIMIT) else {
                return;
            };
            if !window.give_up_one(1) {
                return;
            }
        }
    }
}

impl Window {
    /// How many bytes of answers its page has not read.
    fn unread(&self) -> usize {
        let bytes = |exchange: &Arc<Exchange>| exchange.unread.load(Ordering::Relaxed);
        self.open.values().map(bytes).sum()
    }

    fn end(&mut self, number: u64) {
        if let Some(exchange) = self.open.remove(&number) {
            exchange.over.send_replace(true);
        }
    }

    /// Among the answers that hold at least `bytes` bytes, drops the one that was used least
    /// recently. Returns false if every exchange is in use.
    fn give_up_one(&mut self, bytes: usize) -> bool {
        let unread = self.open.iter().filter(|(_, exchange)| {
            let stage = exchange.stage.try_lock();
            stage.is_ok_and(|stage| matches!(&*stage, Stage::Reading(..)))
                && exchange.unread.load(Ordering::Relaxed) >= bytes
        });
        let oldest = unread.min_by_key(|(_, exchange)| exchange.used.load(Ordering::Relaxed));
        let Some(number) = oldest.map(|(number, _)| *number) else {
            return false;
        };
        tracing::warn!("dropped an answer that its page has not read, to stay within the limits");
        self.end(number);
        true
    }
}

impl Stage {
    /// How many bytes of the answer are held for the page.
    fn unread(&self) -> usize {
        match self {
            Self::Reading(download, _) => download.held(),
            Self::Asking | Self::Giving(_) => 0,
        }
    }

    /// Continues with reading the body of an answer. Returns whether there is one.
    fn go_on(&mut self, rest: Option<Download>, upload: Option<Upload>) -> bool {
        let Some(rest) = rest else {
            return false;
        };
        *self = Self::Reading(rest, upload);
        true
    }
}

fn next_use() -> u64 {
    static USES: AtomicU64 = AtomicU64::new(0);
    USES.fetch_add(1, Ordering::Relaxed)
}

fn over() -> AuthError {
    AuthError::with_message(ErrorCode::Internal, "This request is over.")
}
