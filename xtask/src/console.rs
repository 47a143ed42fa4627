//! What this tool prints: one line for each thing it does, on standard error.
//!
//! Standard output is for the tools it runs and for results that a script may read (a path, a
//! summary).

use std::fmt::Display;
use std::io::Write;

/// Prints what happens now.
pub fn step(line: impl Display) {
    eprintln!("xtask: {}", shown(&line.to_string()));
}

/// Passes on a line of a tool's output.
pub fn pass_on(line: impl Display) {
    // The reader may have closed the pipe (`| head`); that is no failure.
    let _ = writeln!(std::io::stdout(), "{}", shown(&line.to_string()));
}

/// Prints why the command stopped.
pub fn failure(line: impl Display) {
    eprintln!("xtask: error: {}", shown(&line.to_string()));
}

/// The text without what a terminal acts upon or what makes it read other than it is: tools pass on
/// names and messages of servers. Such signs are shown as escapes.
fn shown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        let is_layout = matches!(sign, '\n' | '\t');
        let is_hidden = matches!(
            sign,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}'
        );
        if (sign.is_control() && !is_layout) || is_hidden {
            out.extend(sign.escape_unicode());
        } else {
            out.push(sign);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tools_line_does_not_speak_to_the_terminal() {
        let line = "ok\tü \u{1b}]0;x\u{7}\u{9b}2J\u{202e}";
        assert_eq!(shown(line), "ok\tü \\u{1b}]0;x\\u{7}\\u{9b}2J\\u{202e}");
    }
}
