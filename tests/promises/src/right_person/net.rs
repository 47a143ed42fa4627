//! The network between the processes and the backend. Every request waits here until the world lets
//! it arrive, and every answer until the world lets it go back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::oneshot;
use vestibule_core::transport::{
    BoxFuture, HeaderMap, HttpRequest, HttpResponse, RequestBody, ResponseBodyStream, StatusCode,
    StreamedBody, Transport, TransportError,
};

use super::backend::{Answered, Arrived, COOKIE};
use super::check::Checks;
use super::model_process::ModelProcess;
use super::plan::{EndpointKind, NetworkFault};

/// What the process receives in the end.
struct Heard {
    answered: Answered,
    ending: Ending,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    Whole,
    Cut,
    Stuck,
}

/// A request on its way, or its answer.
pub struct Exchange {
    pub life: Arc<ModelProcess>,
    pub request: Arrived,
    pub fault: Option<NetworkFault>,
    /// The backend's answer.
    pub answered: Option<Answered>,
    back: Option<oneshot::Sender<Result<Heard, TransportError>>>,
}

impl Exchange {
    /// Sends the answer back, as far as the fault allows. Returns whether its head, and whether all
    /// of it, reaches the process.
    pub fn go_back(mut self) -> (bool, bool) {
        let (Some(answered), Some(back)) = (self.answered.take(), self.back.take()) else {
            return (false, false);
        };
        if self.life.is_dead() {
            return (false, false);
        }
        self.life.moves();
        let ending = match self.fault {
            Some(NetworkFault::Unheard | NetworkFault::Lost) => {
                let _ = back.send(Err(TransportError::Broken));
                return (false, false);
            }
            Some(NetworkFault::Cut) => Ending::Cut,
            Some(NetworkFault::Stuck) => Ending::Stuck,
            Some(NetworkFault::Status(_) | NetworkFault::Never) | None => Ending::Whole,
        };
        let has_come = back.send(Ok(Heard { answered, ending })).is_ok();
        (has_come, has_come && ending == Ending::Whole)
    }

    /// The request does not arrive.
    pub fn lose(mut self) {
        self.life.moves();
        if let Some(back) = self.back.take() {
            let _ = back.send(Err(TransportError::Broken));
        }
    }
}

#[derive(Default)]
struct State {
    under_way: Vec<Exchange>,
    planned: Vec<(usize, EndpointKind, NetworkFault)>,
}

/// All requests and answers in transit.
#[derive(Clone, Default)]
pub struct Net(Arc<Mutex<State>>);

impl Net {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The network as this process uses it.
    pub fn of(&self, life: &Arc<ModelProcess>, checks: &Checks) -> Arc<dyn Transport> {
        Arc::new(Seen {
            net: self.clone(),
            life: life.clone(),
            checks: checks.clone(),
        })
    }

    /// The next exchange of this account with this endpoint has this fault.
    pub fn plan(&self, account: usize, place: EndpointKind, fault: NetworkFault) {
        self.state().planned.push((account, place, fault));
    }

    pub fn forget_plans(&self) {
        self.state().planned.clear();
    }

    /// Takes the given exchange of this account among those that have, or have not, arrived.
    pub fn take(&self, account: usize, has_arrived: bool, which: usize) -> Option<Exchange> {
        let mut state = self.state();
        let fits = |(_, held): &(usize, &Exchange)| {
            held.life.account == account && held.answered.is_some() == has_arrived
        };
        let found = state.under_way.iter().enumerate().filter(fits);
        let all: Vec<_> = found.map(|(at, _)| at).collect();
        let at = *all.get(which)?;
        Some(state.under_way.remove(at))
    }

    pub fn put_back(&self, exchange: Exchange) {
        self.state().under_way.push(exchange);
    }

    /// Drops the exchanges of a process that is dead.
    pub fn clear_of(&self, process: u64) {
        self.state()
            .under_way
            .retain(|held| held.life.number != process);
    }
}

struct Seen {
    net: Net,
    life: Arc<ModelProcess>,
    checks: Checks,
}

impl Transport for Seen {
    fn send(&self, request: HttpRequest) -> BoxFuture<'_, Result<HttpResponse, TransportError>> {
        Box::pin(async move {
            let (path, bearer, cookies) = (
                request.url.path().to_owned(),
                bearer(&request.headers),
                cookies(&request.headers),
            );
            let is_form = is_form(&request.headers);
            let body = whole(request.body, is_form).await?;
            if !self.life.acts() {
                return std::future::pending().await;
            }
            let request = Arrived {
                sent: self.checks.now(),
                account: self.life.account,
                path,
                bearer,
                cookies,
                body,
            };
            self.checks.sent(&self.life, &request);
            let place = EndpointKind::of(&request);
            let (back, heard) = oneshot::channel();
            {
                let mut state = self.net.state();
                let account = self.life.account;
                let mut planned = state.planned.iter();
                let planned =
                    planned.position(|(at, place_of, _)| *at == account && *place_of == place);
                let fault = planned.map(|at| state.planned.remove(at).2);
                state.under_way.push(Exchange {
                    life: self.life.clone(),
                    request,
                    fault,
                    answered: None,
                    back: Some(back),
                });
            }
            match heard.await {
                Ok(Ok(heard)) => Ok(response(heard, &self.life)),
                Ok(Err(error)) => Err(error),
                Err(_) => std::future::pending().await,
            }
        })
    }

    fn close_idle_connections(&self) {}
}

fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("authorization")?.to_str().ok()?;
    Some(value.strip_prefix("Bearer ")?.to_owned())
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all("cookie").iter();
    let pairs = lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split("; "));
    pairs
        .filter_map(|pair| pair.split_once('='))
        .filter(|(name, _)| *name == COOKIE)
        .map(|(_, value)| value.to_owned())
        .collect()
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get("content-type");
    kind.is_some_and(|kind| kind.as_bytes().ends_with(b"x-www-form-urlencoded"))
}

/// The members of a JSON object, or the fields of a form.
async fn whole(body: RequestBody, is_form: bool) -> Result<Value, TransportError> {
    let bytes = match body {
        RequestBody::Empty => return Ok(Value::Null),
        RequestBody::Whole(bytes) => bytes.to_vec(),
        RequestBody::Stream(body) => read(body).await?,
    };
    if is_form {
        let fields = url::form_urlencoded::parse(&bytes).into_owned();
        let fields = fields.map(|(name, value)| (name, Value::from(value)));
        return Ok(Value::Object(fields.collect()));
    }
    Ok(serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

async fn read(mut body: StreamedBody) -> Result<Vec<u8>, TransportError> {
    let mut bytes = Vec::new();
    loop {
        let frame = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await;
        match frame {
            None => return Ok(bytes),
            Some(Err(_)) => return Err(TransportError::Broken),
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    bytes.extend_from_slice(&data);
                }
            }
        }
    }
}

fn response(heard: Heard, life: &Arc<ModelProcess>) -> HttpResponse {
    let Heard { answered, ending } = heard;
    let mut headers = HeaderMap::new();
    if let Some(line) = &answered.set_cookie
        && let Ok(line) = line.parse()
    {
        headers.insert("set-cookie", line);
    }
    if !answered.body.is_null()
        && let Ok(kind) = "application/json".parse()
    {
        headers.insert("content-type", kind);
    }
    let bytes = match &answered.body {
        Value::Null => Bytes::new(),
        body => Bytes::from(body.to_string()),
    };
    HttpResponse {
        status: StatusCode::from_u16(answered.status).unwrap_or(StatusCode::BAD_GATEWAY),
        headers,
        length: Some(bytes.len() as u64),
        body: Box::new(Coming {
            left: (!bytes.is_empty()).then_some(bytes),
            ending,
            life: life.clone(),
        }),
    }
}

/// The body of an answer.
struct Coming {
    left: Option<Bytes>,
    ending: Ending,
    life: Arc<ModelProcess>,
}

impl ResponseBodyStream for Coming {
    fn chunk(&mut self) -> BoxFuture<'_, Result<Option<Bytes>, TransportError>> {
        Box::pin(async move {
            self.life.moves();
            if self.ending == Ending::Whole {
                return Ok(self.left.take());
            }
            if let Some(bytes) = self.left.take() {
                // The first half of the body, and then nothing more.
                return Ok(Some(bytes.slice(..bytes.len() / 2)));
            }
            match self.ending {
                Ending::Cut => Err(TransportError::Broken),
                Ending::Whole | Ending::Stuck => std::future::pending().await,
            }
        })
    }
}
