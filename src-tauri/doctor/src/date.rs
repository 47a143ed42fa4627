//! The `Date` of an answer.

use std::time::SystemTime;

use vestibule_core::backend::Exchange;
use vestibule_core::reading;

/// When an answer was sent: by its `Date`, or else when it arrived here.
pub(crate) fn sent_at(exchange: &Exchange) -> SystemTime {
    said(exchange).unwrap_or(exchange.answered_at)
}

/// The time that the `Date` header gives.
pub(crate) fn said(exchange: &Exchange) -> Option<SystemTime> {
    reading::said_at(&exchange.headers)
}
