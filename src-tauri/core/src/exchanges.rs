//! What the windows have under way with their backends. Each exchange belongs to the page
//! that began it, by a number of that page's choosing, and ends with it: nothing goes on for
//! a window that was closed or has loaded another page.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::backend::Download;
use crate::error::{AuthError, ErrorCode};
use crate::session::{Given, Session, Upload};
use crate::wire::{FetchReply, FetchRequest, UploadReply, UploadRequest};

/// The most exchanges of one window. Beyond it an answer whose body nobody has touched for
/// the longest time is given up, as a page does that looked at a status only.
const MOST: usize = 64;
/// The most pages that are remembered as gone. A command of such a page may come late.
const PAST: usize = 256;
/// How many bits of a number count the exchanges of a page; those above name the page.
const COUNT_BITS: u32 = 20;
/// The largest piece that a page may give at once.
pub const PIECE: usize = 256 * 1024;

/// Every window's exchanges.
#[derive(Default)]
pub struct Exchanges(Mutex<HashMap<String, Window>>);

#[derive(Default)]
struct Window {
    open: HashMap<u64, Arc<Exchange>>,
    /// The page that was heard last.
    page: Option<u64>,
    /// Pages that have gone.
    past: VecDeque<u64>,
}

struct Exchange {
    over: watch::Sender<bool>,
    /// Orders exchanges by their last use.
    used: AtomicU64,
    stage: tokio::sync::Mutex<Stage>,
}

/// How far an exchange has come.
enum Stage {
    /// It has no body to give or read: yet, or any more.
    Asking,
    Giving(Upload),
    /// With the upload that it answers, whose connection it comes from.
    Reading(
        Download,
        #[expect(dead_code, reason = "holds the connection")] Option<Upload>,
    ),
}

/// An exchange of a window, for as long as one command is at it.
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
        at.work(async |stage| {
            let (reply, rest) = session.call(request).await?;
            Ok((reply, stage.go_on(rest, None)))
        })
        .await
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

    /// Gives the next piece of a body. False where no more is wanted, and
    /// [`Exchanges::answer`] says why.
    ///
    /// # Errors
    /// If the piece is too large, or there is no such upload.
    pub async fn write(
        &self,
        window: &str,
        number: u64,
        piece: Vec<u8>,
    ) -> Result<bool, AuthError> {
        if piece.len() > PIECE {
            return Err(ErrorCode::TooLarge.into());
        }
        let at = self.at(window, number)?;
        at.work(async |stage| match stage {
            Stage::Giving(upload) => Ok((upload.write(piece).await, true)),
            Stage::Asking | Stage::Reading(..) => Err(over()),
        })
        .await
    }

    /// Ends a body and waits for what came of it.
    ///
    /// # Errors
    /// If there is no answer, or no such upload.
    pub async fn answer(&self, window: &str, number: u64) -> Result<UploadReply, AuthError> {
        let at = self.at(window, number)?;
        at.work(async |stage| {
            let Stage::Giving(upload) = stage else {
                return Err(over());
            };
            match upload.answer().await? {
                Given::Again => Ok((UploadReply::Again, true)),
                Given::Answer(reply, rest) => {
                    let upload = match std::mem::replace(stage, Stage::Asking) {
                        Stage::Giving(upload) => Some(upload),
                        Stage::Asking | Stage::Reading(..) => None,
                    };
                    let rest = rest.map(|rest| *rest);
                    Ok((UploadReply::Answer { reply }, stage.go_on(rest, upload)))
                }
            }
        })
        .await
    }

    /// The next piece of an answer's body; nothing at its end.
    ///
    /// # Errors
    /// If it broke off, or there is nothing to read.
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

    /// Ends an exchange where it stands; nothing if it has ended.
    pub fn cancel(&self, window: &str, number: u64) {
        if let Some(window) = self.windows().get_mut(window) {
            window.end(number);
        }
    }

    /// The window was closed or loads another page.
    pub fn leave(&self, window: &str) {
        if let Some(window) = self.windows().get_mut(window) {
            for number in window.open.keys().copied().collect::<Vec<_>>() {
                window.end(number);
            }
            window.past.extend(window.page.take());
            if window.past.len() > PAST {
                window.past.pop_front();
            }
        }
    }

    /// How many exchanges a window has under way.
    pub fn count(&self, window: &str) -> usize {
        self.windows()
            .get(window)
            .map_or(0, |window| window.open.len())
    }

    fn open<'a>(&'a self, window: &'a str, number: u64, stage: Stage) -> Result<At<'a>, AuthError> {
        let mut windows = self.windows();
        let held = windows.entry(window.to_owned()).or_default();
        let page = number >> COUNT_BITS;
        if held.past.contains(&page) || held.open.contains_key(&number) {
            return Err(over());
        }
        held.page = Some(page);
        if held.open.len() >= MOST && !held.give_up_one() {
            return Err(AuthError::with_message(
                ErrorCode::Busy,
                "Too many requests are under way. Wait until some are over.",
            ));
        }
        let exchange = Arc::new(Exchange {
            over: watch::Sender::new(false),
            used: AtomicU64::new(next_use()),
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

    fn windows(&self) -> MutexGuard<'_, HashMap<String, Window>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl At<'_> {
    /// Does `work`, which says whether the exchange goes on after it, unless the exchange
    /// ends first.
    async fn work<T>(
        self,
        work: impl AsyncFnOnce(&mut Stage) -> Result<(T, bool), AuthError>,
    ) -> Result<T, AuthError> {
        let mut end = self.exchange.over.subscribe();
        let done = tokio::select! {
            biased;
            _ = end.wait_for(|over| *over) => Err(over()),
            done = async {
                let mut stage = self.exchange.stage.lock().await;
                work(&mut stage).await
            } => done,
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

impl Window {
    fn end(&mut self, number: u64) {
        if let Some(exchange) = self.open.remove(&number) {
            exchange.over.send_replace(true);
        }
    }

    /// Makes room; false where every exchange is in use.
    fn give_up_one(&mut self) -> bool {
        let unread = self.open.iter().filter(|(_, exchange)| {
            let stage = exchange.stage.try_lock();
            stage.is_ok_and(|stage| matches!(&*stage, Stage::Reading(..)))
        });
        let oldest = unread.min_by_key(|(_, exchange)| exchange.used.load(Ordering::Relaxed));
        let Some(number) = oldest.map(|(number, _)| *number) else {
            return false;
        };
        tracing::warn!("an answer that nobody read is given up");
        self.end(number);
        true
    }
}

impl Stage {
    /// Goes on to the rest of an answer; whether there is one.
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
