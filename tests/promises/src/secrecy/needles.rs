//! Looks for many secrets in much text at once, in every form that a line could give them.
//!
//! A secret is found by its last characters: what identifies a token stands there (the
//! signature, where it has parts), and a line that shows an end of it has shown too much.

use std::collections::{BTreeSet, HashMap};

/// How a secret can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// As it is.
    Raw,
    /// Either alphabet, at any of the three alignments.
    Base64,
    /// `%74%6F`, in either case.
    Percent,
    /// `746f`, in either case.
    Hex,
    /// `116, 111`, as `Debug` prints bytes.
    Decimal,
}

/// Every one.
pub const FORMS: [Form; 5] = [
    Form::Raw,
    Form::Base64,
    Form::Percent,
    Form::Hex,
    Form::Decimal,
];

/// How much of an end is looked for.
const LENGTH: usize = 12;
/// What is shorter than that is a code, and found as a word.
const WORD: usize = LENGTH;

/// What is looked for.
pub struct Needles {
    /// The first [`LENGTH`] bytes of an end, and the ends that begin so.
    ends: HashMap<[u8; LENGTH], Vec<(Vec<u8>, Form)>>,
    words: BTreeSet<Vec<u8>>,
}

impl Needles {
    /// All forms of all of these.
    pub fn of(secrets: &[String]) -> Self {
        let mut needles = Self {
            ends: HashMap::new(),
            words: BTreeSet::new(),
        };
        for secret in secrets {
            if secret.len() < WORD {
                needles.words.insert(secret.clone().into_bytes());
                continue;
            }
            for form in FORMS {
                for text in form.of(secret.as_bytes()) {
                    needles.add(text, form);
                }
            }
        }
        needles
    }

    fn add(&mut self, text: String, form: Form) {
        let text = text.into_bytes();
        let end = &text[text.len().saturating_sub(form.length())..];
        if let Some(first) = end.first_chunk() {
            let ends = self.ends.entry(*first).or_default();
            ends.push((end.to_owned(), form));
        }
    }

    /// The lines that hold one, with the form.
    pub fn lines_in(&self, said: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        for line in said.split(|byte| *byte == b'\n') {
            let forms: BTreeSet<Form> = self.found_in(line).collect();
            if !forms.is_empty() || self.has_word(line) {
                found.push(format!("{forms:?} in {}", String::from_utf8_lossy(line)));
            }
        }
        found
    }

    /// The forms that occur.
    pub fn forms_in(&self, said: &[u8]) -> Vec<Form> {
        let forms: BTreeSet<Form> = self.found_in(said).collect();
        forms.into_iter().collect()
    }

    fn found_in<'a>(&'a self, said: &'a [u8]) -> impl Iterator<Item = Form> + 'a {
        said.windows(LENGTH)
            .enumerate()
            .flat_map(move |(at, window)| {
                let first: [u8; LENGTH] = window.try_into().unwrap_or_default();
                let ends = self.ends.get(&first).into_iter().flatten();
                ends.filter(move |(end, _)| said[at..].starts_with(end))
                    .map(|(_, form)| *form)
            })
    }

    fn has_word(&self, line: &[u8]) -> bool {
        !self.words.is_empty()
            && line
                .split(|byte| !byte.is_ascii_alphanumeric())
                .any(|word| self.words.contains(word))
    }
}

impl Form {
    /// How long an end has to be, so that chance makes none.
    fn length(self) -> usize {
        match self {
            Self::Raw | Self::Base64 => LENGTH,
            Self::Percent | Self::Hex | Self::Decimal => 2 * LENGTH,
        }
    }

    /// A secret in this form, in all its variants.
    pub fn of(self, secret: &[u8]) -> Vec<String> {
        let each = |write: fn(&u8) -> String| secret.iter().map(write).collect::<Vec<_>>();
        match self {
            Self::Raw => vec![String::from_utf8_lossy(secret).into_owned()],
            Self::Base64 => (0..3)
                .flat_map(|skip| base64(&secret[skip.min(secret.len())..]))
                .collect(),
            Self::Percent => vec![
                each(|byte| format!("%{byte:02X}")).concat(),
                each(|byte| format!("%{byte:02x}")).concat(),
            ],
            Self::Hex => vec![
                each(|byte| format!("{byte:02x}")).concat(),
                each(|byte| format!("{byte:02X}")).concat(),
            ],
            Self::Decimal => {
                let numbers = each(u8::to_string);
                vec![numbers.join(", "), numbers.join(",")]
            }
        }
    }
}

/// In both alphabets, without the last group, which depends on what follows.
fn base64(bytes: &[u8]) -> [String; 2] {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks_exact(3) {
        let value = group
            .iter()
            .fold(0u32, |value, byte| value << 8 | u32::from(*byte));
        for place in [18, 12, 6, 0] {
            text.push(char::from(DIGITS[(value >> place & 63) as usize]));
        }
    }
    let url = text.replace('+', "-").replace('/', "_");
    [text, url]
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "eyJhbGciOi.eyJzdWIiOiI.a-signature_0123456789";

    fn needles() -> Needles {
        Needles::of(&[SECRET.to_owned(), "482913".to_owned()])
    }

    #[test]
    fn every_variant_of_every_form_is_found_amid_other_text() {
        for form in FORMS {
            for text in form.of(SECRET.as_bytes()) {
                let said = format!("before {text} after\nanother line");
                assert_eq!(needles().forms_in(said.as_bytes()), [form], "{text}");
                assert_eq!(needles().lines_in(said.as_bytes()).len(), 1);
            }
        }
    }

    #[test]
    fn base64_is_found_whatever_stands_around_it() {
        for before in ["", "x", "xy", "xyz"] {
            for after in ["", "a", "bc"] {
                let [text, _] = base64(format!("{before}{SECRET}{after}...").as_bytes());
                let found = needles().forms_in(text.as_bytes());
                assert_eq!(found, [Form::Base64], "{before} {after}: {text}");
            }
        }
    }

    #[test]
    fn a_code_is_found_as_a_word_and_not_within_a_number() {
        let lines = |said: &str| needles().lines_in(said.as_bytes()).len();
        assert_eq!(lines("code=482913 was typed"), 1);
        assert_eq!(lines("at 12:00:01.482913Z for 1482913 ns"), 0);
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let said = "backend{method=POST path=\"/login\" status=200}: answered ".repeat(1000);
        assert_eq!(needles().lines_in(said.as_bytes()).len(), 0);
    }
}
