//! The endpoints, one module per subject, and the answer to an unknown path.

mod codes;
mod demo;
mod faults;
mod me;
mod news;
mod plans;
mod refresh;
mod sign_in;
pub(crate) mod transfer;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{Response, StatusCode};
use axum::routing::{delete, get, post};
use serde_json::json;

use crate::app::App;
use crate::error::{Refusal, answer};

/// The result of a route.
pub(crate) type Answer = Result<Response<Body>, Refusal>;

/// The endpoints that this backend is configured to have.
pub(crate) fn router(app: &Arc<App>) -> Router {
    let mut router = Router::new()
        .route("/health", get(health))
        .route("/public/news", get(news::list))
        .route("/login", post(sign_in::login))
        .route("/register", post(sign_in::register))
        .route("/verify-otp", post(codes::verify_otp))
        .route("/verify-totp", post(codes::verify_totp))
        .route("/verify-recovery", post(codes::verify_recovery))
        .route("/resend-otp", post(codes::resend))
        .route("/refresh-token", post(refresh::refresh))
        .route("/logout", post(refresh::logout))
        .route("/logout-all", post(me::logout_all))
        .route("/sessions", get(me::sessions))
        .route("/sessions/{id}", delete(me::end_session))
        .route("/me", get(me::me))
        .route("/admin/users", get(me::users))
        .route("/transfer", get(transfer::download).post(transfer::upload))
        .route("/plans", get(plans::list))
        .route("/plans/{slug}", get(plans::one))
        .route("/plans/{slug}/purchase", post(plans::purchase));
    if app.config.demo {
        router = router
            .route("/demo-accounts", get(demo::accounts))
            .route("/mailbox", get(demo::mailbox))
            .route("/mailbox.json", get(demo::mailbox_json));
    }
    if app.config.faults {
        router = router
            .route(
                "/faults",
                get(faults::list).post(faults::add).delete(faults::clear),
            )
            .route("/faults/{id}", delete(faults::remove));
    }
    router
        .fallback(async || Refusal::not_found("there is no such endpoint"))
        .method_not_allowed_fallback(async || {
            Refusal::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "METHOD_NOT_ALLOWED",
                "this endpoint has no such method",
            )
        })
        .with_state(Arc::clone(app))
}

async fn health(axum::extract::State(app): axum::extract::State<Arc<App>>) -> Answer {
    app.store
        .run(|tx| tx.query_row("SELECT 1", [], |_| Ok(())))
        .await?;
    Ok(answer(StatusCode::OK, &json!({ "status": "ok" })))
}
