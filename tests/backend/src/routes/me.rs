//! What an account may read about itself, and an administrator about all accounts.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::Answer;
use crate::accounts::{self, Account};
use crate::app::App;
use crate::clock::now;
use crate::error::{Refusal, answer, nothing};
use crate::sessions;

pub(crate) async fn me(State(app): State<Arc<App>>, headers: HeaderMap) -> Answer {
    let caller = app.caller(&headers).await?;
    Ok(answer(
        StatusCode::OK,
        &json!({ "user": caller.account.user() }),
    ))
}

pub(crate) async fn sessions(State(app): State<Arc<App>>, headers: HeaderMap) -> Answer {
    let caller = app.caller(&headers).await?;
    let list = app
        .store
        .run(move |tx| sessions::list(tx, &caller.account.id, &caller.session, now()))
        .await?;
    Ok(answer(StatusCode::OK, &Value::Array(list)))
}

pub(crate) async fn end_session(
    State(app): State<Arc<App>>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Answer {
    let caller = app.caller(&headers).await?;
    let Path(id) = id.map_err(|_| no_session())?;
    let ended = app
        .store
        .run(move |tx| sessions::revoke(tx, &caller.account.id, &id))
        .await?;
    if ended {
        Ok(nothing())
    } else {
        Err(no_session())
    }
}

pub(crate) async fn logout_all(State(app): State<Arc<App>>, headers: HeaderMap) -> Answer {
    let caller = app.caller(&headers).await?;
    app.store
        .run(move |tx| sessions::revoke_all(tx, &caller.account.id))
        .await?;
    Ok(nothing())
}

pub(crate) async fn users(State(app): State<Arc<App>>, headers: HeaderMap) -> Answer {
    let caller = app.caller(&headers).await?;
    if !caller.account.roles.iter().any(|role| role == "admin") {
        return Err(Refusal::forbidden(
            "FORBIDDEN",
            "this is for administrators",
        ));
    }
    let rows: Vec<Value> = app
        .store
        .run(accounts::all)
        .await?
        .iter()
        .map(Account::admin_row)
        .collect();
    Ok(answer(StatusCode::OK, &json!({ "users": rows })))
}

fn no_session() -> Refusal {
    Refusal::not_found("there is no such session")
}
