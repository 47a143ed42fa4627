//! `/faults`: the list of faults over HTTP. Served only with
//! [`Config::faults`](crate::Config::faults).

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde_json::json;

use super::Answer;
use super::demo::local;
use crate::app::App;
use crate::error::{Refusal, answer, nothing};
use crate::faults::Fault;
use crate::input::is_json;

pub(crate) async fn list(State(app): State<Arc<App>>, headers: HeaderMap) -> Answer {
    local(&headers)?;
    Ok(answer(StatusCode::OK, &app.faults.list()))
}

/// 201 `{id}`. Requires the JSON content type, which a page of another site cannot send without
/// a CORS preflight.
pub(crate) async fn add(State(app): State<Arc<App>>, headers: HeaderMap, body: Bytes) -> Answer {
    local(&headers)?;
    if !is_json(&headers) {
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            "send the fault as application/json",
        ));
    }
    let fault = serde_json::from_slice(&body)
        .map_err(|error| error.to_string())
        .and_then(Fault::from_json)
        .map_err(Refusal::invalid)?;
    let id = app.faults.add(fault);
    Ok(answer(StatusCode::CREATED, &json!({ "id": id })))
}

pub(crate) async fn clear(State(app): State<Arc<App>>, headers: HeaderMap) -> Answer {
    local(&headers)?;
    app.faults.clear();
    Ok(nothing())
}

pub(crate) async fn remove(
    State(app): State<Arc<App>>,
    id: Result<Path<u64>, PathRejection>,
    headers: HeaderMap,
) -> Answer {
    local(&headers)?;
    match id {
        Ok(Path(id)) if app.faults.remove(id) => Ok(nothing()),
        _ => Err(Refusal::not_found("there is no such fault")),
    }
}
