//! How deep and how large a profile may be. This is checked without recursion, and before anything
//! recurses: ten thousand bytes of TOML can describe a table that is thousands of levels deep, and
//! whatever walks it, be it to drop it, runs out of stack.

use serde_json::Value;

use super::mistake::Mistake;

/// Far deeper than any profile is.
const DEPTH: usize = 32;
/// Far more values than any profile has.
const VALUES: usize = 20_000;
/// Far longer than any profile is; a larger file was probably named by mistake.
const BYTES: u64 = 1024 * 1024;
/// How much of a key an error repeats.
const SHOWN: usize = 64;

/// Refuses a text or a file of too many bytes.
pub(super) fn check_size(bytes: u64) -> Result<(), Mistake> {
    match bytes {
        0..=BYTES => Ok(()),
        _ => Err(Mistake::new("", "is too large: it has more than 1 MiB")),
    }
}

/// Refuses a value that is too deep or has too many members.
pub(super) fn check_value(value: &Value) -> Result<(), Mistake> {
    let mut count = 0_usize;
    // Each with its depth, and the key at the top that leads to it.
    let mut left = vec![(value, 0, "")];
    while let Some((value, depth, top)) = left.pop() {
        count += 1;
        if depth > DEPTH {
            return Err(too_deep(top));
        }
        if count > VALUES {
            let reason = format!("is too large: it has more than {VALUES} values");
            return Err(Mistake::new("", reason));
        }
        match value {
            Value::Array(items) => left.extend(items.iter().map(|item| (item, depth + 1, top))),
            Value::Object(members) => left.extend(members.iter().map(|(key, member)| {
                let top = if depth == 0 { key } else { top };
                (member, depth + 1, top)
            })),
            _ => {}
        }
    }
    Ok(())
}

/// Refuses a TOML text some value of which could be too deep. A dot or a bracket outside of texts and
/// comments makes a value one level deeper at most, so the count is never too low.
pub(super) fn check_toml(text: &str) -> Result<(), Mistake> {
    let mut depth = Depth::default();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' => length_of_text(rest),
            _ => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        depth.take(c, token, after);
        if depth.now() > DEPTH {
            return Err(too_deep(&depth.top()));
        }
        rest = after;
    }
    Ok(())
}

fn too_deep(key: &str) -> Mistake {
    let key: String = key.chars().take(SHOWN).collect();
    Mistake::new(key, format!("is more than {DEPTH} levels deep"))
}

/// How deep the place is that was read last.
#[derive(Default)]
struct Depth {
    /// The depth of the table whose header was read last, and the first key in that header.
    table: usize,
    table_key: String,
    /// The dots since the last key began, one count for each open bracket around it.
    above: Vec<usize>,
    dots: usize,
    /// Whether the open brackets are those of a table's header.
    in_header: bool,
    /// What the statement begins with, as long as that may be a key.
    key: String,
    key_is_whole: bool,
}

impl Depth {
    fn take(&mut self, c: char, token: &str, after: &str) {
        match c {
            '[' if self.above.is_empty() && self.is_at_start() => {
                *self = Self {
                    in_header: true,
                    ..Self::default()
                };
                self.above.push(0);
            }
            '[' | '{' => {
                self.above.push(self.dots + 1);
                self.dots = 0;
            }
            ']' | '}' if self.in_header => {
                self.table = self.table.max(self.dots + 1 + self.above.len());
                self.above.pop();
                self.dots = 0;
                if self.above.is_empty() && !after.starts_with(']') {
                    self.in_header = false;
                    self.table_key = std::mem::take(&mut self.key);
                    self.key_is_whole = false;
                }
            }
            ']' | '}' => self.dots = self.above.pop().unwrap_or_default().saturating_sub(1),
            '.' => {
                self.dots += 1;
                self.key_is_whole = true;
            }
            ',' => self.dots = 0,
            '\n' if self.above.is_empty() || self.in_header => {
                self.above.clear();
                self.in_header = false;
                self.dots = 0;
                self.key.clear();
                self.key_is_whole = false;
            }
            '=' => self.key_is_whole = true,
            _ if c.is_whitespace() || c == '#' => {}
            _ if self.key_is_whole || self.key.len() > SHOWN => {}
            _ => self.key.push_str(token.trim_matches(['"', '\''])),
        }
    }

    /// Whether nothing of a statement was read yet.
    fn is_at_start(&self) -> bool {
        self.key.is_empty() && !self.key_is_whole
    }

    fn now(&self) -> usize {
        self.table + self.above.iter().sum::<usize>() + self.dots + 1
    }

    /// The key at the top that leads here.
    fn top(&self) -> String {
        let keys = [&self.table_key, &self.key];
        let first = keys.into_iter().find(|key| !key.is_empty());
        first.cloned().unwrap_or_default()
    }
}

/// The length of the text at the beginning, with its quotes. One that does not end reaches to the end
/// of its line, or of the file if it may have several.
fn length_of_text(rest: &str) -> usize {
    let quote = &rest[..1];
    let triple = quote.repeat(3);
    let is_long = rest.starts_with(&triple);
    let mark = if is_long { triple.as_str() } else { quote };
    let mut at = mark.len();
    while let Some(c) = rest[at..].chars().next() {
        if rest[at..].starts_with(mark) {
            return at + mark.len();
        }
        if c == '\n' && !is_long {
            return at;
        }
        at += c.len_utf8();
        if c == '\\' && quote == "\"" {
            at += rest[at..].chars().next().map_or(0, char::len_utf8);
        }
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::profile::{Layer, SHIPPED};

    fn keys(depth: usize) -> String {
        vec!["a"; depth].join(".")
    }

    #[test]
    fn what_would_overflow_the_stack_is_refused_with_its_key() {
        let dotted = keys(80);
        let tables = format!("schema = 1\n[otp.{dotted}]\n{dotted} = {{ {dotted} = 1 }}\n");
        let inline = format!(
            "schema = 1\nuser = {}1{}",
            "{ a.a.a.a = ".repeat(2000),
            "}".repeat(2000)
        );
        let lists = format!(
            "schema = 1\nends = {}{}",
            "[".repeat(5000),
            "]".repeat(5000)
        );
        let quoted = format!("schema = 1\n\"otp\".{} = 1", vec!["\"a\""; 5000].join("."));
        let arrays = format!("schema = 1\n[[ends.{}]]\nx = 1", keys(5000));
        for (text, key) in [
            (tables, "otp"),
            (inline, "user"),
            (lists, "ends"),
            (quoted, "otp"),
            (arrays, "ends"),
        ] {
            let error = Layer::text("profile.toml", &text).err().expect("too deep");
            assert_eq!(error.place, "profile.toml");
            assert_eq!(error.key, key, "{error}");
            assert!(error.reason.contains("levels deep"), "{error}");
        }
        let json = format!(
            r#"{{"schema":1,"otp":{}1{}}}"#,
            "[".repeat(60),
            "]".repeat(60)
        );
        let layer = Layer::text("profile.json", &json).expect("JSON");
        let error = crate::profile::load(&[layer]).expect_err("too deep");
        assert_eq!(
            (error.place.as_str(), error.key.as_str()),
            ("profile.json", "otp")
        );
        let json = format!(r#"{{"otp":{}1{}}}"#, "[".repeat(6000), "]".repeat(6000));
        let error = Layer::text("profile.json", &json).err().expect("too deep");
        assert!(error.reason.contains("deep"), "{error}");
    }

    #[test]
    fn a_section_is_bounded_too() {
        let mut deep = json!(1);
        for _ in 0..200 {
            deep = json!({"a": deep});
        }
        let section = Layer::inline("app.json (plugins.vestibule)", json!({"otp": deep}));
        let error = crate::profile::load(&[section]).expect_err("too deep");
        assert_eq!(error.key, "otp", "{error}");
        let many: Vec<_> = (0..VALUES).collect();
        let section = Layer::inline("app.json", json!({"otp": many}));
        let error = crate::profile::load(&[section]).expect_err("too many");
        assert!(error.reason.contains("values"), "{error}");
        let long = format!("schema = 1\nabout = '{}'", "x".repeat(BYTES as usize));
        let error = Layer::text("profile.toml", &long).err().expect("too long");
        assert!(error.reason.contains("too large"), "{error}");
    }

    #[test]
    fn no_text_and_no_comment_is_deep() {
        let dots = ".".repeat(100);
        let open = "[{".repeat(100);
        for text in [
            format!("about = \"{dots}{open}\""),
            format!("about = '{dots}{open}'"),
            format!("about = \"\"\"\n{dots}\n{open}\n\"\"\""),
            format!("about = '''\n{dots} ' '' \n{open}\n'''"),
            format!("about = \"\\\"{dots}{open}\" # {dots}{open}"),
            format!("# {dots}{open}\nabout = 1.5"),
            "a = 1.5\n".repeat(100),
            "[a.b]\nc.d = 1.5\n".repeat(100),
            format!("a = [{}]", "1.5, ".repeat(100)),
            format!("a = [\n{}\n]", "{ at = 'x', as = 'y' },\n".repeat(100)),
        ] {
            assert_eq!(check_toml(&text), Ok(()), "{text}");
        }
        for shipped in SHIPPED {
            assert_eq!(check_toml(shipped.text), Ok(()), "{}", shipped.name);
        }
    }

    /// The depth of a value, by recursion.
    fn depth(value: &Value) -> usize {
        let deepest = match value {
            Value::Array(items) => items.iter().map(depth).max(),
            Value::Object(members) => members.values().map(depth).max(),
            _ => return 0,
        };
        1 + deepest.unwrap_or(0)
    }

    proptest! {
        #[test]
        fn what_passes_is_not_deep(text in r##"([\[\]{}a.='"#,\n ]|a = |\[a\]\n|a\.a\.a){0,80}"##) {
            if check_toml(&text).is_ok()
                && let Ok(value) = ::toml::from_str::<Value>(&text)
            {
                prop_assert!(depth(&value) <= DEPTH, "{text}");
            }
        }
    }
}
