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
pub struct BackendCalls(Mutex<Windows>);

#[derive(Default)]
struct Windows {
    /// The windows whose pages have begun an exchange. A window that was left has no entry.
    by_label: HashMap<String, WindowCalls>,
    /// Pages that have gone, each with the label of its window.
    gone_pages: VecDeque<(String, u64)>,
}

#[derive(Default)]
struct WindowCalls {
    open: HashMap<u64, Arc<BackendCall>>,
    /// The page that began the last exchange.
    page: Option<u64>,
}

struct BackendCall {
    over: watch::Sender<bool>,
    /// Orders exchanges by their last use.
    used: AtomicU64,
    /// How many bytes of the answer wait in memory for the page.
    unread: AtomicUsize,
    stage: tokio::sync::Mutex<CallStage>,
}

/// How far an exchange has come.
enum CallStage {
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
struct ActiveCall<'a> {
    all: &'a BackendCalls,
    window: &'a str,
    number: u64,
    call: Arc<BackendCall>,
}

impl BackendCalls {
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
        let at = self.open(window, number, CallStage::Asking)?;
        let answered = at.work(async |stage| {
            let (reply, rest) = session.call(request).await?;
            Ok((reply, stage.continue_with(rest, None)))
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
        self.open(window, number, CallStage::Giving(upload))
            .map(drop)
    }

    /// Writes the next piece of an upload. Returns false if the backend wants no more of it;
    /// [`BackendCalls::answer`] then says why. The piece is copied only once it may be sent.
    ///
    /// # Errors
    /// If the piece is too large, if the piece before it is still being sent (which ends the
    /// upload, since its body would lack a piece), or if there is no such upload.
    pub async fn write(&self, window: &str, number: u64, piece: &[u8]) -> Result<bool, AuthError> {
        if piece.len() > PIECE {
            let words = format!("A piece of a body has at most {PIECE} bytes.");
            return Err(AuthError::with_message(ErrorCode::TooLarge, words));
        }
        let at = self.active(window, number)?;
        let Ok(mut stage) = at.call.stage.try_lock() else {
            self.cancel(window, number);
            return Err(AuthError::with_message(
                ErrorCode::RateLimited,
                "Give the pieces of a body one after the other: each when the one before was \
                 taken.",
            ));
        };
        at.work_on(async || match &mut *stage {
            CallStage::Giving(upload) => Ok((upload.write(piece.to_vec()).await, true)),
            CallStage::Asking | CallStage::Reading(..) => Err(over()),
        })
        .await
    }

    /// Ends the body of an upload and waits for the backend's answer.
    ///
    /// # Errors
    /// If there is no answer, or no such upload.
    pub async fn answer(&self, window: &str, number: u64) -> Result<UploadReply, AuthError> {
        let at = self.active(window, number)?;
        let answered = at.work(async |stage| {
            let CallStage::Giving(upload) = stage else {
                return Err(over());
            };
            match upload.answer().await? {
                UploadAnswer::SendAgain => Ok((UploadReply::Again, true)),
                UploadAnswer::Answer(reply, rest) => {
                    let upload = match std::mem::replace(stage, CallStage::Asking) {
                        CallStage::Giving(upload) => Some(upload),
                        CallStage::Asking | CallStage::Reading(..) => None,
                    };
                    let rest = rest.map(|rest| *rest);
                    Ok((
                        UploadReply::Answer { reply },
                        stage.continue_with(rest, upload),
                    ))
                }
            }
        });
        let reply = answered.await?;
        self.windows().bound_unread();
        Ok(reply)
    }

    /// The next piece of an answer's body. A body with a length ends with its last byte, any other one
    /// with an empty piece.
    ///
    /// # Errors
    /// If the answer broke off, or there is nothing to read.
    pub async fn read(&self, window: &str, number: u64) -> Result<Vec<u8>, AuthError> {
        let at = self.active(window, number)?;
        at.work(async |stage| match stage {
            CallStage::Reading(download, _) => {
                let piece = download.read().await?;
                let more = piece.is_some() && !download.is_over();
                Ok((piece.unwrap_or_default(), more))
            }
            CallStage::Asking | CallStage::Giving(_) => Err(over()),
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
    /// page is kept, and only for the last `MAX_GONE_PAGES` pages of all windows.
    pub fn page_left(&self, window: &str) {
        let mut windows = self.windows();
        if let Some((label, mut left)) = windows.by_label.remove_entry(window) {
            for number in left.open.keys().copied().collect::<Vec<_>>() {
                left.end(number);
            }
            windows
                .gone_pages
                .extend(left.page.map(|page| (label, page)));
            if windows.gone_pages.len() > MAX_GONE_PAGES {
                windows.gone_pages.pop_front();
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
    #[cfg(any(test, feature = "testing"))]
    pub fn windows_known(&self) -> usize {
        self.windows().by_label.len()
    }

    fn open<'a>(
        &'a self,
        window: &'a str,
        number: u64,
        stage: CallStage,
    ) -> Result<ActiveCall<'a>, AuthError> {
        let mut windows = self.windows();
        let page = number >> COUNT_BITS;
        let is_gone = |(label, gone): &(String, u64)| label == window && *gone == page;
        if windows.gone_pages.iter().any(is_gone) {
            return Err(over());
        }
        let held = windows.by_label.entry(window.to_owned()).or_default();
        if held.open.contains_key(&number) {
            return Err(over());
        }
        held.page = Some(page);
        if held.open.len() >= MAX_CALLS && !held.drop_oldest_answer(0) {
            let words = format!(
                "This window has {MAX_CALLS} requests under way. Wait until one of them ends, or end it."
            );
            return Err(AuthError::with_message(ErrorCode::Busy, words));
        }
        let call = Arc::new(BackendCall {
            over: watch::Sender::new(false),
            used: AtomicU64::new(next_use()),
            unread: AtomicUsize::new(0),
            stage: tokio::sync::Mutex::new(stage),
        });
        held.open.insert(number, call.clone());
        Ok(ActiveCall {
            all: self,
            window,
            number,
            call,
        })
    }

    fn active<'a>(&'a self, window: &'a str, number: u64) -> Result<ActiveCall<'a>, AuthError> {
        let windows = self.windows();
        let held = windows
            .by_label
            .get(window)
            .and_then(|window| window.open.get(&number));
        let call = held.cloned().ok_or_else(over)?;
        call.used.store(next_use(), Ordering::Relaxed);
        Ok(ActiveCall {
            all: self,
            window,
            number,
            call,
        })
    }

    fn windows(&self) -> MutexGuard<'_, Windows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ActiveCall<'_> {
    /// Does `work` on the stage as soon as no other command works on it.
    async fn work<T>(
        self,
        work: impl AsyncFnOnce(&mut CallStage) -> Result<(T, bool), AuthError>,
    ) -> Result<T, AuthError> {
        let call = self.call.clone();
        self.work_on(async || {
            let mut stage = call.stage.lock().await;
            let done = work(&mut stage).await;
            call.unread.store(stage.unread(), Ordering::Relaxed);
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
        let mut end = self.call.over.subscribe();
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
            if !window.drop_oldest_answer(1) {
                return;
            }
        }
    }
}

impl WindowCalls {
    /// How many bytes of answers its page has not read.
    fn unread(&self) -> usize {
        let bytes = |call: &Arc<BackendCall>| call.unread.load(Ordering::Relaxed);
        self.open.values().map(bytes).sum()
    }

    fn end(&mut self, number: u64) {
        if let Some(call) = self.open.remove(&number) {
            call.over.send_replace(true);
        }
    }

    /// Among the answers that hold at least `bytes` bytes, drops the one that was used least
    /// recently. Returns false if every exchange is in use.
    fn drop_oldest_answer(&mut self, bytes: usize) -> bool {
        let unread = self.open.iter().filter(|(_, call)| {
            let stage = call.stage.try_lock();
            stage.is_ok_and(|stage| matches!(&*stage, CallStage::Reading(..)))
                && call.unread.load(Ordering::Relaxed) >= bytes
        });
        let oldest = unread.min_by_key(|(_, call)| call.used.load(Ordering::Relaxed));
        let Some(number) = oldest.map(|(number, _)| *number) else {
            return false;
        };
        tracing::warn!("dropped an answer that its page has not read, to stay within the limits");
        self.end(number);
        true
    }
}

impl CallStage {
    /// How many bytes of the answer are held for the page.
    fn unread(&self) -> usize {
        match self {
            Self::Reading(download, _) => download.held(),
            Self::Asking | Self::Giving(_) => 0,
        }
    }

    /// Continues with reading the body of an answer. Returns whether there is one.
    fn continue_with(&mut self, rest: Option<Download>, upload: Option<Upload>) -> bool {
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
