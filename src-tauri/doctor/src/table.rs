//! The report as a table for people: plain text, a hundred columns, no colours.

use std::fmt::Write as _;

use vestibule_core::wire::{Overridden, PolicyInfo};

use crate::checks::{Group, Row, Weight};
use crate::finding::{Holds, Side};
use crate::report::{Outcome, Report};
use crate::shown::Shown;
use crate::suggest::Suggestion;

const WIDTH: usize = 100;
const WORD: usize = 8;
const TITLE: usize = 27;
const SENT: usize = 28;
const GOT: usize = WIDTH - WORD - TITLE - SENT;

/// The report as the doctor prints it.
pub fn table(report: &Report) -> Shown {
    let mut text = String::new();
    let Report {
        backend, profile, ..
    } = report;
    let _ = writeln!(text, "Backend  {backend}\nProfile  {profile}");
    for (number, place) in report.profile_from.iter().enumerate() {
        let over = if number == 0 { "from" } else { "over it" };
        let _ = writeln!(text, "{}{over} {place}", pad("", 9));
    }
    if let Some(policy) = &report.policy {
        put_policy(&mut text, policy);
    }
    let mut before = "";
    for rows in report.rows.chunk_by(|one, other| one.group == other.group) {
        let _ = writeln!(text, "\n{}", heading(rows[0].group));
        for alike in rows.chunk_by(is_untried_alike) {
            match alike {
                [row] => put_row(&mut text, row, before),
                rows => put_untried(&mut text, rows),
            }
            before = &alike[alike.len() - 1].sent;
        }
    }
    put_suggestion(&mut text, &report.suggestion);
    put_end(&mut text, report);
    // Once more as a whole: the policy's keys and places are not ours either.
    Shown::lines(&text)
}

/// The administrator's policy, which counts before the files of the user.
fn put_policy(text: &mut String, policy: &PolicyInfo) {
    let _ = writeln!(text, "Policy   {}", policy.place);
    let network: Vec<_> = policy
        .network
        .iter()
        .map(|key| format!("network.{key}"))
        .collect();
    let sets = [&policy.sets[..], &network[..]].concat();
    for (does, keys) in [("fixes", &policy.fixes), ("sets", &sets)] {
        let room = WIDTH - 10 - does.len();
        for (number, line) in wrap(&keys.join(", "), room).iter().enumerate() {
            if !keys.is_empty() {
                let before = if number == 0 { does } else { "" };
                let _ = writeln!(text, "{}{} {line}", pad("", 9), pad(before, does.len()));
            }
        }
    }
    for Overridden { key, place } in &policy.overrides {
        let _ = writeln!(text, "{}overrides {key} of {place}", pad("", 9));
    }
}

fn heading(group: Group) -> String {
    let name = match group {
        Group::Connection => "CONNECTION",
        Group::Endpoints => "ENDPOINTS",
        Group::Edges => "REFRESH, AT THE EDGES",
        Group::Browser => "SIGN-IN BY THE BROWSER",
    };
    let line = format!("{name:<35}{:<SENT$}came back", "sent",);
    format!("{line}\n{}", "─".repeat(WIDTH))
}

fn word(row: &Row) -> &'static str {
    match (row.holds, row.weight) {
        (Holds::Yes, _) => "holds",
        (Holds::No, Weight::Must) => "FAILS",
        (Holds::No, Weight::Should) => "advice",
        (Holds::NotTried, _) => "-",
    }
}

/// What was sent, without the cookies where the row holds, and "the same" where the row before has
/// sent the same.
fn sent_in_short(row: &Row, before: &str) -> String {
    if row.sent == before {
        return "the same".into();
    }
    match row.sent.split_once(crate::shape::COOKIES) {
        Some((request, cookies)) if row.holds == Holds::Yes => {
            // Finding::sent_with puts a remark behind the cookies.
            let remark = cookies.find(" (").map_or("", |at| &cookies[at..]);
            format!("{request}{remark}")
        }
        _ => row.sent.to_string(),
    }
}

/// Whether two rows were not tried for the same reason.
fn is_untried_alike(one: &Row, other: &Row) -> bool {
    let is_bare = |row: &Row| row.sent.is_empty() && row.advice.is_empty();
    let both = one.holds == Holds::NotTried && other.holds == Holds::NotTried;
    both && is_bare(one) && is_bare(other) && one.got == other.got
}

/// Rows that were not tried for one reason: their titles, and the reason once.
fn put_untried(text: &mut String, rows: &[Row]) {
    let titles: Vec<&str> = rows.iter().map(|row| row.title).collect();
    let titles = wrap(&titles.join(" · "), WIDTH - WORD);
    let reason = wrap(&rows[0].got, WIDTH - WORD - 2);
    for (number, line) in titles.iter().enumerate() {
        let word = if number == 0 { word(&rows[0]) } else { "" };
        let _ = writeln!(text, "{}{line}", pad(word, WORD));
    }
    for line in reason {
        let _ = writeln!(text, "{}{line}", pad("", WORD + 2));
    }
}

fn put_row(text: &mut String, row: &Row, before: &str) {
    let title = wrap(row.title, TITLE - 1);
    let (sent, got) = if row.sent.is_empty() {
        // Nothing was sent, so the reason takes the columns of both.
        (Vec::new(), wrap(&row.got, SENT + GOT))
    } else {
        let sent = sent_in_short(row, before);
        (wrap(&sent, SENT - 2), wrap(&row.got, GOT))
    };
    let lines = title.len().max(sent.len()).max(got.len());
    for line in 0..lines {
        let of = |cell: &[String]| cell.get(line).cloned().unwrap_or_default();
        let word = if line == 0 { word(row) } else { "" };
        let mut out = format!("{}{}", pad(word, WORD), pad(&of(&title), TITLE));
        if !row.sent.is_empty() {
            out.push_str(&pad(&of(&sent), SENT));
        }
        out.push_str(&of(&got));
        let _ = writeln!(text, "{}", out.trim_end());
    }
    for advice in &row.advice {
        let side = match advice.side {
            Side::Backend => "backend",
            Side::Profile => "profile",
            Side::Provider => "provider",
            Side::Network => "network",
            Side::You => "you",
        };
        let lead = format!("→ {side}: ");
        let room = WIDTH - WORD - lead.chars().count();
        for (line, words) in wrap(&advice.text, room).iter().enumerate() {
            let before = if line == 0 { lead.as_str() } else { "" };
            let before = pad(before, lead.chars().count());
            let _ = writeln!(text, "{}{before}{words}", pad("", WORD));
        }
    }
}

fn put_suggestion(text: &mut String, suggestion: &Suggestion) {
    let _ = match suggestion {
        Suggestion::None => return,
        Suggestion::Fits { profile } => {
            writeln!(
                text,
                "\nPROFILE\n  \"{profile}\" fits: the app understands the answer to the sign-in."
            )
        }
        Suggestion::Missing { what } => {
            let what = format!("No profile was found: {what}.");
            writeln!(text, "\nPROFILE\n  {}", wrap(&what, WIDTH - 2).join("\n  "))
        }
        Suggestion::Written { toml, how } => writeln!(
            text,
            "\nPROFILE\n  {}\n  Save it as profile.toml, and use it with --profile profile.toml:\n\n{toml}",
            wrap(how, WIDTH - 2).join("\n  ")
        ),
    };
}

fn put_end(text: &mut String, report: &Report) {
    text.push('\n');
    for note in &report.notes {
        for line in wrap(note, WIDTH) {
            let _ = writeln!(text, "{line}");
        }
    }
    let counts = report.counts;
    let verdict = match report.outcome {
        Outcome::Fits if counts.advice > 0 => "The backend fits; the advice is worth a look.",
        Outcome::Fits => "The backend fits.",
        Outcome::DoesNotFit => "The backend does not fit yet.",
        Outcome::NotExamined if report.is_without_sign_in => {
            "Examined without an account: sign-in, refresh and sign-out were not tried (--email; \
             --browser where people sign in by the browser)."
        }
        Outcome::NotExamined => "The backend could not be examined.",
        Outcome::Interrupted => "Interrupted: the rows say what was seen until then.",
    };
    let _ = writeln!(
        text,
        "{verdict} {} hold, {} fail, {} advice, {} not tried.",
        counts.hold, counts.fail, counts.advice, counts.not_tried
    );
}

fn pad(text: &str, width: usize) -> String {
    let length = text.chars().count();
    format!("{text}{}", " ".repeat(width.saturating_sub(length)))
}

/// Lines of at most `width` characters, broken at spaces where there are any.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        let length = line.chars().count();
        if length > 0 && length + 1 + word.len() > width {
            lines.push(std::mem::take(&mut line));
        } else if length > 0 {
            line.push(' ');
        }
        while word.len() > width {
            let rest = word.split_off(width);
            lines.push(word.into_iter().collect());
            word = rest;
        }
        line.extend(word);
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_long_words_anywhere() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrap("", 4), [""]);
    }
}
