//! Reports of failures for the app's makers: the place in the code, the message of the log line,
//! values that cannot be secret, and the latest calls to the backend before the failure.
//!
//! [`Reporter`] is the trait that another service than Sentry implements. This module decides what
//! a report may hold by the kind of value: numbers, flags, messages that are fixed texts in the
//! source, and the texts of the fields in `WORDS`. What an event prints by `Display` or `Debug`
//! in any other field stays in the log on the user's computer.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

use crate::filter::OURS;

/// The name of the span that covers one call to the backend.
pub const CALL: &str = "backend";

/// The fields whose text the code chooses from a few fixed words.
const WORDS: [&str; 9] = [
    "code", "fault", "kind", "method", "path", "place", "request", "thread", "why",
];

/// The number of calls in a report.
const CALLS: usize = 20;

/// Sends reports to a service.
pub trait Reporter: Send + Sync + 'static {
    /// Takes a report. It is called where something failed, also during a panic, so it must not
    /// block.
    fn report(&self, report: Report);

    /// Waits until the reports so far have been sent, but no longer than `limit`.
    fn flush(&self, limit: Duration);
}

/// What a service gets to know about one failure.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// When it happened.
    pub at: SystemTime,
    /// The module that logged it.
    pub module: &'static str,
    /// The source file and the line.
    pub line: Option<(&'static str, u32)>,
    /// The message of the log line, which is a fixed text in the source.
    pub words: String,
    /// The fields of the log line that may be reported.
    pub facts: Facts,
    /// The calls to the backend before the failure, the latest last.
    pub calls: Vec<Call>,
}

/// One call to the backend.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// When it ended.
    pub at: SystemTime,
    /// Method, path template, status or fault, duration, attempt, request id.
    pub facts: Facts,
}

/// Names and values.
pub type Facts = Vec<(&'static str, Fact)>;

/// A value that cannot be secret.
#[derive(Clone, Debug, PartialEq)]
pub enum Fact {
    /// A number.
    Number(i64),
    /// True or false.
    Flag(bool),
    /// A text that the code chooses.
    Word(String),
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Word(word) => f.write_str(word),
        }
    }
}

/// Makes reports of the errors that the app's own crates log.
#[derive(Clone, Default)]
pub(crate) struct Reports(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    reporter: Option<Arc<dyn Reporter>>,
    calls: VecDeque<Call>,
}

impl Reports {
    pub(crate) fn send_to(&self, reporter: Option<Arc<dyn Reporter>>) {
        self.kept().reporter = reporter;
    }

    pub(crate) fn reporter(&self) -> Option<Arc<dyn Reporter>> {
        self.kept().reporter.clone()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S> Layer<S> for Reports
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if is_call(attributes.metadata())
            && let Some(span) = context.span(id)
        {
            let mut read = Reading::default();
            attributes.record(&mut read);
            span.extensions_mut().insert(read);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(read) = span.extensions_mut().get_mut::<Reading>()
        {
            values.record(read);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let Some(read) = span.extensions_mut().remove::<Reading>() else {
            return;
        };
        let mut kept = self.kept();
        if kept.calls.len() == CALLS {
            kept.calls.pop_front();
        }
        kept.calls.push_back(Call {
            at: SystemTime::now(),
            facts: read.facts,
        });
    }

    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let said = event.metadata();
        if *said.level() != Level::ERROR || !is_ours(said) {
            return;
        }
        let Some(reporter) = self.reporter() else {
            return;
        };
        let mut read = Reading::default();
        event.record(&mut read);
        let calls = self.kept().calls.iter().cloned().collect();
        reporter.report(Report {
            at: SystemTime::now(),
            module: said.target(),
            line: said.file().zip(said.line()),
            words: read.words,
            facts: read.facts,
            calls,
        });
    }
}

fn is_ours(said: &Metadata<'_>) -> bool {
    let root = said.target().split("::").next().unwrap_or_default();
    OURS.contains(&root)
}

fn is_call(span: &Metadata<'_>) -> bool {
    span.name() == CALL && is_ours(span)
}

/// Collects the fields that may be reported.
#[derive(Default)]
struct Reading {
    words: String,
    facts: Facts,
}

impl Reading {
    fn keep(&mut self, field: &Field, fact: Fact) {
        self.facts.push((field.name(), fact));
    }

    fn text(&mut self, field: &Field, text: impl FnOnce() -> String) {
        match field.name() {
            // The messages of the app's own crates are fixed texts, as `tests/messages.rs` checks.
            "message" => self.words = text(),
            name if WORDS.contains(&name) => self.keep(field, Fact::Word(text())),
            _ => {}
        }
    }
}

impl Visit for Reading {
    fn record_i64(&mut self, field: &Field, value: i64) {
        self.keep(field, Fact::Number(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.keep(
            field,
            Fact::Number(i64::try_from(value).unwrap_or(i64::MAX)),
        );
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.keep(field, Fact::Flag(value));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.text(field, || value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.text(field, || format!("{value:?}"));
    }
}
