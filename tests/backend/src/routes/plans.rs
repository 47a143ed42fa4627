//! Public plans, and a purchase that a second click does not repeat.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use rusqlite::params;
use serde_json::{Value, json};
use uuid::Uuid;

use super::Answer;
use crate::app::App;
use crate::clock::{iso8601, now};
use crate::error::{Refusal, answer};

struct Plan {
    slug: &'static str,
    name: &'static str,
    price: u32,
    features: &'static [&'static str],
}

const PLANS: [Plan; 3] = [
    Plan {
        slug: "starter",
        name: "Starter",
        price: 9,
        features: &["One workspace", "Two devices", "Mail support"],
    },
    Plan {
        slug: "team",
        name: "Team",
        price: 29,
        features: &[
            "Five workspaces",
            "Ten devices each",
            "Roles",
            "Mail support",
        ],
    },
    Plan {
        slug: "business",
        name: "Business",
        price: 99,
        features: &[
            "Unlimited workspaces",
            "Unlimited devices",
            "Roles",
            "Audit timeline",
            "Support within four hours",
        ],
    },
];

impl Plan {
    fn json(&self) -> Value {
        json!({
            "slug": self.slug,
            "name": self.name,
            "price": self.price,
            "currency": "EUR",
            "interval": "month",
            "features": self.features,
        })
    }
}

fn find(slug: Result<Path<String>, PathRejection>) -> Result<&'static Plan, Refusal> {
    let slug = slug.map(|Path(slug)| slug).unwrap_or_default();
    PLANS
        .iter()
        .find(|plan| plan.slug == slug)
        .ok_or_else(|| Refusal::not_found("there is no such plan"))
}

pub(crate) async fn list() -> Answer {
    let plans = PLANS.iter().map(Plan::json).collect();
    Ok(answer(StatusCode::OK, &plans))
}

pub(crate) async fn one(slug: Result<Path<String>, PathRejection>) -> Answer {
    Ok(answer(StatusCode::OK, &find(slug)?.json()))
}

/// 201 with the purchase; 200 with the same one if the account has the plan already.
pub(crate) async fn purchase(
    State(app): State<Arc<App>>,
    slug: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Answer {
    let caller = app.caller(&headers).await?;
    let plan = find(slug)?.slug;
    let (fresh, id, at) = app
        .store
        .run(move |tx| {
            let account = caller.account.id;
            let rows = tx.execute(
                "INSERT INTO purchases (id, account, plan, purchased_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (account, plan) DO NOTHING",
                params![Uuid::new_v4().to_string(), account, plan, now()],
            )?;
            tx.query_row(
                "SELECT id, purchased_at FROM purchases WHERE account = ?1 AND plan = ?2",
                params![account, plan],
                |row| Ok((rows == 1, row.get::<_, String>(0)?, row.get(1)?)),
            )
        })
        .await?;
    let status = if fresh {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok(answer(
        status,
        &json!({ "id": id, "plan": plan, "purchasedAt": iso8601(at) }),
    ))
}
