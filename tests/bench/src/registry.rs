//! The list of everything that is measured. To add an entry, write a function in `rows/`
//!
//! ```text
//! pub async fn measure(setting: &Setting) -> Outcome<Vec<Row>>
//! ```
//!
//! and a line in [`ENTRIES`]. The rows' ids are the entry's, or begin with it and a slash.
//!
//! A function takes [`Setting::rounds`] samples, measures the product, its floor and its
//! alternative in turns, and leaves no process behind. It compares nothing with a target: the row
//! does. What it cannot measure it returns as an error in words, which becomes a row that does not
//! hold; so does a panic, and the other entries go on.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;

use crate::machine;
use crate::row::Row;
use crate::setting::{Form, Setting};
use crate::{rows, table};

/// The result of a measurement; the error is text for people.
pub type Outcome<T> = Result<T, String>;

type Working<'a> = Pin<Box<dyn Future<Output = Outcome<Vec<Row>>> + 'a>>;

/// A build that an entry needs; `cargo xtask bench` makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// The shipped app.
    Shipped,
    /// The packages that users install.
    Packages,
    /// The app built for WebDriver, and the driver.
    Driven,
    /// The static export of the frontend, without an app around it.
    Export,
    /// The blank window.
    BlankWindow,
    /// The blank Next export.
    BlankExport,
    /// The web arrangement: Next with proxy routes.
    Web,
}

impl Need {
    /// The name in the output of `bench --needs`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shipped => "shipped",
            Self::Packages => "packages",
            Self::Driven => "driven",
            Self::Export => "export",
            Self::BlankWindow => "blank-window",
            Self::BlankExport => "blank-export",
            Self::Web => "web",
        }
    }
}

/// One entry of the list.
pub struct Entry {
    /// Its name on the command line.
    pub id: &'static str,
    /// The figure, for the row of an entry that could not be measured.
    pub figure: &'static str,
    /// Whether it is measured only with `--long` or by name.
    pub long_only: bool,
    /// How many seconds it takes on two idle cores, without builds.
    pub seconds: u32,
    /// How many seconds it takes in the long form, if that is more.
    seconds_of_long: Option<u32>,
    /// The builds it needs.
    pub needs: &'static [Need],
    measure: for<'a> fn(&'a Setting) -> Working<'a>,
}

/// Makes an entry from a function.
macro_rules! entry {
    ($id:literal, $figure:literal, $seconds:literal s, $needs:expr, $($measure:ident)::+) => {
        Entry {
            id: $id,
            figure: $figure,
            long_only: false,
            seconds: $seconds,
            seconds_of_long: None,
            needs: $needs,
            measure: |setting| Box::pin($($measure)::+(setting)),
        }
    };
    (with --long $seconds:literal s: $($line:tt)+) => {
        Entry { seconds_of_long: Some($seconds), ..entry!($($line)+) }
    };
    (long: $($line:tt)+) => {
        Entry { long_only: true, ..entry!($($line)+) }
    };
}

impl Entry {
    /// How many seconds it takes in this form; a short form counts like the usual one.
    #[must_use]
    pub fn seconds_of(&self, form: Form) -> u32 {
        let long = self.seconds_of_long.filter(|_| form == Form::Long);
        long.unwrap_or(self.seconds)
    }
}

/// The shipped app, signed in by the build for WebDriver, and a blank window.
const SHIPPED: &[Need] = &[Need::Shipped, Need::Driven, Need::BlankWindow];
const APP: &[Need] = &[Need::Shipped];
const BINARIES: &[Need] = &[Need::Shipped, Need::BlankWindow];
const EXPORTS: &[Need] = &[Need::Export, Need::BlankExport];
const DRIVEN: &[Need] = &[Need::Driven];
/// Pages of the app, and of a web app.
const PAGES: &[Need] = &[Need::Driven, Need::Web];
/// Windows of the app, and bare windows.
const WINDOWS: &[Need] = &[Need::Driven, Need::BlankWindow];

/// All entries, in the order of the table.
pub const ENTRIES: &[Entry] = &[
    entry!("binary", "binary as shipped", 1 s, BINARIES, rows::size::binary),
    entry!("deb", ".deb", 1 s, &[Need::Packages], rows::size::package),
    entry!("first-load-js", "first-load JS", 2 s, EXPORTS, rows::size::scripts),
    entry!("start", "process start to painted content, home", 150 s, SHIPPED, rows::start::measure),
    entry!(with --long 3900 s: "memory", "memory of all processes, idle at 60 s", 390 s, SHIPPED, rows::memory::measure),
    entry!("sign-in", "sign-in through the core", 20 s, &[], rows::sign_in::measure),
    entry!("refresh", "refresh through the core", 15 s, &[], rows::refresh::measure),
    entry!("reads", "reading the session in a page", 60 s, PAGES, rows::reads::measure),
    entry!("callers", "1,000 callers on a spent token", 40 s, &[], rows::callers::measure),
    entry!("fetch", "auth.fetch from a page", 130 s, WINDOWS, rows::fetch::measure),
    entry!("windows", "a session change to the headers", 240 s, WINDOWS, rows::windows::measure),
    entry!("click", "click on \"Sign in\" to the dashboard", 120 s, DRIVEN, rows::click::measure),
    entry!("switch", "switch of a window to another account, until it is painted", 45 s, DRIVEN, rows::switch::measure),
    entry!("cookies", "a call that carries cookies", 10 s, &[], rows::growth::cookies),
    entry!("bodies", "a body through the core", 20 s, &[], rows::growth::bodies),
    entry!("controls", "what the instruments hear of 20 ms", 240 s, WINDOWS, rows::controls::measure),
    entry!(long: "accounts-start", "process start to painted content, with 50 accounts", 150 s, APP, rows::accounts::start),
    entry!(long: "accounts-memory", "memory of an account that no window shows", 120 s, APP, rows::accounts::memory),
    entry!(long: "idle", "idle for ten minutes", 700 s, SHIPPED, rows::idle::measure),
    entry!(long: "app-hour", "an hour of use of the app", 3800 s, DRIVEN, rows::app_hour::measure),
    entry!(long: "hour", "memory of the core over an hour of use", 3650 s, &[], rows::hour::core),
];

/// How much longer than four times its estimate an entry may take. An entry that takes longer
/// becomes a row that says so, and the run goes on.
const OVERRUN_TIMEOUT: Duration = Duration::from_secs(120);

/// The entries with these names; without names, those of the form.
#[must_use]
pub fn selected(names: &[String], form: Form) -> Vec<&'static Entry> {
    let wanted = |entry: &&Entry| match names {
        [] => form == Form::Long || !entry.long_only,
        names => names.iter().any(|name| name == entry.id),
    };
    ENTRIES.iter().filter(wanted).collect()
}

/// What a run is going to measure, in words.
#[must_use]
pub fn plan(entries: &[&Entry], form: Form) -> String {
    let seconds: u32 = entries.iter().map(|entry| entry.seconds_of(form)).sum();
    let each = entries.iter().map(|entry| {
        format!(
            "\n  {:<14} about {:>4} s  {}",
            entry.id,
            entry.seconds_of(form),
            entry.figure
        )
    });
    format!(
        "measures {}, in about {} min:{}",
        entries.len(),
        seconds.div_ceil(60),
        each.collect::<String>()
    )
}

/// How long each entry of a run took, in words.
#[must_use]
pub fn account(took: &[(&Entry, Duration)], form: Form) -> String {
    let whole: Duration = took.iter().map(|(_, took)| *took).sum();
    let each = took.iter().map(|(entry, took)| {
        let (seconds, meant) = (took.as_secs_f64(), entry.seconds_of(form));
        format!("\n  {:<14} {seconds:>7.1} s, meant to be {meant}", entry.id)
    });
    let minutes = whole.as_secs_f64() / 60.0;
    format!("measured in {minutes:.1} min:{}", each.collect::<String>())
}

/// Measures one entry after the other, and prints the results on standard error; returns the rows
/// and how long each entry took.
pub async fn run<'a>(
    entries: &[&'a Entry],
    setting: &Setting,
) -> (Vec<Row>, Vec<(&'a Entry, Duration)>) {
    let (mut rows, mut took) = (Vec::new(), Vec::new());
    for entry in entries {
        let (begun, load) = (Instant::now(), machine::load());
        let limit =
            OVERRUN_TIMEOUT + Duration::from_secs(entry.seconds_of(setting.form).into()) * 4;
        let measuring = AssertUnwindSafe((entry.measure)(setting)).catch_unwind();
        let measured = tokio::time::timeout(limit, measuring).await;
        let measured = measured.unwrap_or_else(|_| {
            let takes = limit.as_secs();
            Ok(Err(format!("it had not ended after {takes} s")))
        });
        let measured = match measured {
            Ok(Ok(measured)) if measured.is_empty() => Err("it returned no row".to_owned()),
            Ok(outcome) => outcome,
            Err(panic) => Err(words_of(&*panic)),
        };
        let mut measured =
            measured.unwrap_or_else(|why| vec![Row::unmeasured(entry.id, entry.figure, &why)]);
        let load = [load, machine::load()];
        for row in &mut measured {
            row.load = load;
            if row.this.is_none() || !setting.is_short() {
                row.judge();
            }
        }
        took.push((*entry, begun.elapsed()));
        let seconds = begun.elapsed().as_secs_f64();
        eprintln!("{}, {seconds:.1} s:\n{}", entry.id, table::text(&measured));
        rows.append(&mut measured);
    }
    (rows, took)
}

/// The runtime for all entries.
///
/// # Panics
/// If the system cannot create threads.
#[must_use]
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads for a runtime")
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("it panicked").to_owned()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::target::Target;
    use crate::unit::Unit;

    async fn fails(_: &Setting) -> Outcome<Vec<Row>> {
        Err("there is no keyring".into())
    }

    async fn panics(_: &Setting) -> Outcome<Vec<Row>> {
        panic!("the app does not start")
    }

    async fn is_slow(_: &Setting) -> Outcome<Vec<Row>> {
        let row = Row::new("slow", "slow", Unit::Ms).this("it", vec![5.0; 3]);
        Ok(vec![row.target(Target::AtMost(1.0))])
    }

    const MADE_UP: &[Entry] = &[
        entry!("fails", "fails", 1 s, &[], fails),
        entry!("panics", "panics", 1 s, &[Need::Driven], panics),
        entry!(long: "slow", "slow", 1 s, &[], is_slow),
    ];

    fn rows(form: Form) -> Vec<Row> {
        let setting = Setting::new(form, PathBuf::new(), PathBuf::new());
        let entries: Vec<_> = MADE_UP.iter().collect();
        let (rows, took) = runtime().block_on(run(&entries, &setting));
        assert_eq!(
            took.len(),
            entries.len(),
            "an entry that failed is in the list of times too"
        );
        rows
    }

    #[test]
    fn what_cannot_be_measured_is_a_row_with_the_reason_and_the_rest_goes_on() {
        for form in [Form::Short, Form::Long] {
            let rows = rows(form);
            let ids: Vec<_> = rows.iter().map(|row| row.id.as_str()).collect();
            assert_eq!(ids, ["fails", "panics", "slow"]);
            assert!(
                rows[0].note.contains("there is no keyring"),
                "{:?}",
                rows[0]
            );
            assert!(
                rows[1].note.contains("the app does not start"),
                "{:?}",
                rows[1]
            );
            assert!(rows[..2].iter().all(|row| row.holds == Some(false)));
        }
    }

    #[test]
    fn the_short_form_judges_nothing_by_time() {
        assert_eq!(rows(Form::Short)[2].holds, None);
        assert_eq!(rows(Form::Long)[2].holds, Some(false));
    }

    #[test]
    fn ids_are_unique_and_names_find_what_is_long() {
        let mut ids: Vec<_> = ENTRIES.iter().map(|entry| entry.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), ENTRIES.len());
        let usual = selected(&[], Form::Usual);
        assert!(usual.iter().all(|entry| !entry.long_only));
        assert_eq!(selected(&[], Form::Long).len(), ENTRIES.len());
        let named = selected(&["hour".to_owned()], Form::Usual);
        assert_eq!(named.len(), 1, "a named entry is measured in any form");
    }

    /// The long form's thirty pairs of a minute each take longer than four times its three pairs.
    #[test]
    fn the_long_form_has_the_time_that_it_takes() {
        let memory = ENTRIES.iter().find(|entry| entry.id == "memory").unwrap();
        assert!(memory.seconds_of(Form::Long) >= 30 * 2 * 60);
        assert!(memory.seconds_of(Form::Usual) < 30 * 2 * 60);
    }

    /// Fifteen minutes of that are for builds from nothing.
    #[test]
    fn the_usual_run_takes_less_than_forty_minutes() {
        let usual = selected(&[], Form::Usual);
        let seconds: u32 = usual.iter().map(|entry| entry.seconds).sum();
        assert!(seconds <= 25 * 60, "{seconds} s");
    }

    #[test]
    fn a_run_says_before_and_after_what_each_entry_takes() {
        let entries: Vec<_> = MADE_UP.iter().collect();
        let told = plan(&entries, Form::Usual);
        assert!(told.starts_with("measures 3, in about 1 min:"), "{told}");
        let took = [
            (entries[0], Duration::from_secs(30)),
            (entries[1], Duration::from_secs(60)),
        ];
        let done = account(&took, Form::Usual);
        assert!(done.starts_with("measured in 1.5 min:"), "{done}");
        for (said, entry) in [(&told, "fails"), (&told, "slow"), (&done, "panics")] {
            assert!(
                said.lines().any(|line| line.trim().starts_with(entry)),
                "{said}"
            );
        }
    }
}
