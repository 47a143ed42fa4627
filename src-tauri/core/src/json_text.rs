//! Bodies as a browser reads them: Fetch's `text()` and `json()` drop a byte order mark and take bytes
//! that are no UTF-8 for U+FFFD, and `json()` accepts half a surrogate pair in a text and a number that is
//! too large for it. A backend whose answers work in a browser gives such answers, and refusing them
//! would cost a person a sign-in.

use serde_json::Value;
use zeroize::Zeroizing;

/// What the text has in the place of what is no character.
const REPLACEMENT: &str = "\\ufffd";
/// The byte order mark, in UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Whether there is no text at all: nothing but white space, with or without a mark. Some servers end
/// every body with a line break.
pub fn is_empty(bytes: &[u8]) -> bool {
    unmarked(bytes).trim_ascii().is_empty()
}

/// Whether it looks like a web page: some frameworks call every text HTML.
pub fn is_markup(bytes: &[u8]) -> bool {
    unmarked(bytes).trim_ascii_start().starts_with(b"<")
}

fn unmarked(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(MARK).unwrap_or(bytes)
}

/// The text of a body, without its mark. A UTF-16 text is read by its mark, as the Encoding Standard has
/// it. That standard knows no UTF-32, so nor does this.
pub fn text(bytes: &[u8]) -> Zeroizing<String> {
    match unmarked(bytes) {
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        bytes => Zeroizing::new(String::from_utf8_lossy(bytes).into_owned()),
    }
}

/// Parses JSON; `None` if a browser could not either. A number too large for an `f64`, which a browser
/// takes for infinity, is null: it says nothing, and costs the rest of the answer nothing.
pub fn parse(bytes: &[u8]) -> Option<Value> {
    if let Ok(value) = serde_json::from_slice(unmarked(bytes)) {
        return Some(value);
    }
    let text = without_half_pairs(&text(bytes));
    let parsed = serde_json::from_str(&text);
    parsed
        .or_else(|_| serde_json::from_str(&without_endless_numbers(&text)))
        .ok()
}

/// A text in UTF-16; what is no character becomes U+FFFD.
fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 2));
    let units = bytes.chunks(2).map(|pair| match *pair {
        [first, second] => unit([first, second]),
        // The last byte has lost its other half.
        _ => 0xfffd,
    });
    let characters = char::decode_utf16(units);
    text.extend(characters.map(|read| read.unwrap_or(char::REPLACEMENT_CHARACTER)));
    text
}

/// The same JSON, with U+FFFD for each escape that names half a surrogate pair. Rust's texts cannot
/// hold one.
fn without_half_pairs(text: &str) -> Zeroizing<String> {
    // Not longer than the text: an escape has as many bytes as its replacement.
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let length = match (escaped_unit(escape), escape.get(6..).and_then(escaped_unit)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => 12,
            (Some(0xd800..=0xdfff), _) => {
                out.push_str(REPLACEMENT);
                rest = escape.get(6..).unwrap_or_default();
                continue;
            }
            // A backslash escapes the character after it, which may be another backslash.
            _ => 1 + escape[1..].chars().next().map_or(0, char::len_utf8),
        };
        let (escape, after) = escape.split_at(length);
        out.push_str(escape);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// The same JSON, with null for each number that is too large.
fn without_endless_numbers(text: &str) -> Zeroizing<String> {
    // Not longer than the text: no such number is shorter than `1e309`.
    let mut out = Zeroizing::new(String::with_capacity(text.len()));
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => length_of_text(rest),
            '-' | '0'..='9' => {
                let is_of_number = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
                rest.find(|c| !is_of_number(c)).unwrap_or(rest.len())
            }
            other => other.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        let is_endless = first != '"' && token.parse().is_ok_and(f64::is_infinite);
        out.push_str(if is_endless { "null" } else { token });
        rest = after;
    }
    out
}

/// How long the text in quotes is with which `json` begins.
fn length_of_text(json: &str) -> usize {
    let mut escaped = false;
    let end = json.bytes().skip(1).position(|byte| {
        let is_end = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        is_end
    });
    end.map_or(json.len(), |end| end + 2)
}

/// The code unit of an escape at the beginning of `text`: `\u` and four hexadecimal digits.
fn escaped_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex.then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text() {
        let marked = |mark: &[u8], text: &[u8]| parse(&[mark, text].concat());
        let text = r#"{"name":"Jürgen 😀"}"#;
        let wanted = Some(json!({"name": "Jürgen 😀"}));
        assert_eq!(marked(b"", text.as_bytes()), wanted);
        assert_eq!(marked(b"\xef\xbb\xbf", text.as_bytes()), wanted);
        let units = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(bytes).collect()
        };
        assert_eq!(marked(b"\xfe\xff", &units(u16::to_be_bytes)), wanted);
        assert_eq!(marked(b"\xff\xfe", &units(u16::to_le_bytes)), wanted);
        assert_eq!(parse(&units(u16::to_le_bytes)), None, "without a mark");
        assert_eq!(
            marked(b"\xef\xbb\xbf\xef\xbb\xbf", text.as_bytes()),
            None,
            "one is dropped, as a browser does"
        );
        assert_eq!(marked(b"\xef\xbb\xbf", b""), None);
        assert_eq!(marked(b"\xff\xfe\0\0", b"1\0\0\0"), None, "UTF-32");
    }

    #[test]
    fn what_is_no_character_is_replaced_and_the_rest_is_read() {
        for (given, wanted) in [
            (&br#"["J\xfcrgen"]"#[..], None),
            (b"[\"J\xfcrgen\"]", Some("J\u{fffd}rgen")),
            (br#"["\ud83d\ude00"]"#, Some("😀")),
            (br#"["a\ud83d"]"#, Some("a\u{fffd}")),
            (br#"["\uDE00\ud83d"]"#, Some("\u{fffd}\u{fffd}")),
            (br#"["\ud83d\ud83d\ude00"]"#, Some("\u{fffd}😀")),
            (br#"["\\ud83d \ud83dx"]"#, Some("\\ud83d \u{fffd}x")),
            (br#"["\ud83d\n"]"#, Some("\u{fffd}\n")),
            (br#"["\ud83"]"#, None),
            (br#"["\ud+3d"]"#, None),
        ] {
            let wanted = wanted.map(|text| json!([text]));
            assert_eq!(parse(given), wanted, "{}", String::from_utf8_lossy(given));
        }
    }

    #[test]
    fn a_number_that_is_too_large_is_null_and_the_rest_is_read() {
        let endless = format!("[-{}.5, 2]", "9".repeat(400));
        for (given, wanted) in [
            (
                r#"{"a": 1e400, "b": "x"}"#,
                Some(json!({"a": null, "b": "x"})),
            ),
            (
                r#"["1e400", "\"1e400", 1E+999]"#,
                Some(json!(["1e400", "\"1e400", null])),
            ),
            (&endless, Some(json!([null, 2]))),
            (r#"["\ud83d", 1e400]"#, Some(json!(["\u{fffd}", null]))),
            ("[1e400", None),
            ("[1e400e]", None),
            ("[inf]", None),
            (r#"["1e400]"#, None),
        ] {
            assert_eq!(parse(given.as_bytes()), wanted, "{given}");
        }
    }

    #[test]
    fn white_space_alone_is_no_text_and_a_mark_is_no_part_of_one() {
        for nothing in ["", "\u{feff}", "\n", " \r\n\t", "\u{feff}\r\n"] {
            assert!(is_empty(nothing.as_bytes()), "{nothing:?}");
        }
        for some in ["0", "null", "\u{feff}OK\n"] {
            assert!(!is_empty(some.as_bytes()), "{some:?}");
        }
        assert_eq!(text("\u{feff}OK\n".as_bytes()).as_str(), "OK\n");
        assert_eq!(text(b"\xff\xfeO\0K\0").as_str(), "OK");
        assert_eq!(text(b"J\xfcrgen").as_str(), "J\u{fffd}rgen");
    }

    proptest! {
        #[test]
        fn any_bytes_are_json_or_not(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse(&bytes);
        }

        #[test]
        fn what_is_json_is_read_as_it_is(text in r#"["\\ud8dcen0f,\[\] ]{0,24}"#) {
            if let Ok(value) = serde_json::from_str::<Value>(&text) {
                prop_assert_eq!(parse(text.as_bytes()), Some(value));
            }
        }
    }
}
