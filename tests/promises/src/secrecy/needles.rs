//! Searches much text for many secrets at once, in every form in which a line could print them.
//!
//! A secret is found by its last characters: they identify a token (its signature, where it has
//! parts), and a line that shows them has shown too much. A code is so short that it is searched as
//! a whole: raw as a word, and in every other form that is too long to occur by chance.

use std::collections::{BTreeSet, HashMap};

/// A form in which a secret can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    Raw,
    /// In either alphabet, at any of the three alignments.
    Base64,
    /// `%74%6F`, in either case.
    Percent,
    /// `746f`, in either case.
    Hex,
    /// `116, 111`, as `Debug` prints bytes.
    Decimal,
}

pub const FORMS: [Form; 5] = [
    Form::Raw,
    Form::Base64,
    Form::Percent,
    Form::Hex,
    Form::Decimal,
];

/// How many of the last characters are searched for.
const LENGTH: usize = 12;
/// A secret that is shorter than this is a code; raw, it is found only as a word.
const WORD: usize = LENGTH;
/// How many bytes of an end are used to look it up. A code of six digits has seven characters of
/// its own in base64.
const KEY: usize = 7;

/// The secrets to search for.
pub struct Needles {
    /// For the first [`KEY`] bytes of each end, the ends that begin with them.
    ends: HashMap<[u8; KEY], Vec<(Vec<u8>, Form)>>,
    words: BTreeSet<Vec<u8>>,
}

impl Needles {
    /// Searches for these secrets in all forms.
    pub fn of(secrets: &[String]) -> Self {
        let mut needles = Self {
            ends: HashMap::new(),
            words: BTreeSet::new(),
        };
        for secret in secrets {
            if secret.len() < WORD {
                needles.words.insert(secret.clone().into_bytes());
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
        if text.len() < form.least() {
            return;
        }
        let end = &text[text.len().saturating_sub(form.length())..];
        if let Some(first) = end.first_chunk() {
            let ends = self.ends.entry(*first).or_default();
            ends.push((end.to_owned(), form));
        }
    }

    /// The lines that contain a secret, with its form.
    pub fn lines_in(&self, said: &[u8]) -> Vec<String> {
        let mut found = Vec::new();
        for line in said.split(|byte| *byte == b'\n') {
            let forms = self.forms_in(line);
            if !forms.is_empty() {
                found.push(format!("{forms:?} in {}", String::from_utf8_lossy(line)));
            }
        }
        found
    }

    /// The forms that occur.
    pub fn forms_in(&self, said: &[u8]) -> Vec<Form> {
        let mut forms: BTreeSet<Form> = self.found_in(said).collect();
        if self.has_word(said) {
            forms.insert(Form::Raw);
        }
        forms.into_iter().collect()
    }

    fn found_in<'a>(&'a self, said: &'a [u8]) -> impl Iterator<Item = Form> + 'a {
        said.windows(KEY).enumerate().flat_map(move |(at, window)| {
            let first: [u8; KEY] = window.try_into().unwrap_or_default();
            let ends = self.ends.get(&first).into_iter().flatten();
            ends.filter(move |(end, _)| said[at..].starts_with(end))
                .map(|(_, form)| *form)
        })
    }

    fn has_word(&self, said: &[u8]) -> bool {
        !self.words.is_empty()
            && said
                .split(|byte| !byte.is_ascii_alphanumeric())
                .any(|word| self.words.contains(word))
    }
}

impl Form {
    /// How many characters of an end are needed so that it does not occur by chance.
    fn length(self) -> usize {
        match self {
            Self::Raw | Self::Base64 => LENGTH,
            Self::Percent | Self::Hex | Self::Decimal => 2 * LENGTH,
        }
    }

    /// How long a text must be so that it does not occur by chance. Numbers are common, and a code
    /// in hexadecimal is one; the letters of base64 that encode digits are not.
    fn least(self) -> usize {
        match self {
            Self::Base64 => KEY,
            Self::Raw | Self::Percent | Self::Hex | Self::Decimal => LENGTH,
        }
    }

    /// A secret in this form, in all variants.
    pub fn of(self, secret: &[u8]) -> Vec<String> {
        let each = |write: fn(&u8) -> String| secret.iter().map(write).collect::<Vec<_>>();
        match self {
            Self::Raw => vec![String::from_utf8_lossy(secret).into_owned()],
            Self::Base64 => (0..3).flat_map(|before| base64(secret, before)).collect(),
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

/// In both alphabets, `before` bytes after the beginning of a group: only the characters that do
/// not depend on the bytes around the secret.
fn base64(bytes: &[u8], before: usize) -> [String; 2] {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (start, end) = (8 * before, 8 * (before + bytes.len()));
    let bit = |at: usize| bytes[(at - start) / 8] >> (7 - at % 8) & 1;
    let text: String = (start.div_ceil(6)..end / 6)
        .map(|place| (6 * place..6 * place + 6).fold(0, |value, at| value << 1 | bit(at)))
        .map(|digit| char::from(DIGITS[usize::from(digit)]))
        .collect();
    let url = text.replace('+', "-").replace('/', "_");
    [text, url]
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "eyJhbGciOi.eyJzdWIiOiI.a-signature_0123456789";
    const CODE: &str = "482913";

    fn needles() -> Needles {
        Needles::of(&[SECRET.to_owned(), CODE.to_owned()])
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
                for secret in [SECRET, CODE] {
                    let [text, _] = base64(format!("{before}{secret}{after}...").as_bytes(), 0);
                    let found = needles().forms_in(text.as_bytes());
                    assert_eq!(found, [Form::Base64], "{before} {after}: {text}");
                }
            }
        }
    }

    #[test]
    fn a_code_is_found_as_a_word_and_not_within_a_number() {
        let lines = |said: &str| needles().lines_in(said.as_bytes()).len();
        assert_eq!(lines("code=482913 was typed"), 1);
        assert_eq!(lines("at 12:00:01.482913Z for 1482913 ns"), 0);
    }

    /// Each form alone, next to another code in the same form.
    #[test]
    fn a_code_is_found_in_every_form_and_another_in_none() {
        for (form, this, another) in [
            (Form::Raw, "code=482913,", "code=472913,"),
            (Form::Base64, "NDgyOTEz", "NDcyOTEz"),
            (
                Form::Base64,
                "eyJvdHAiOiI0ODI5MTMifQ==",
                "eyJvdHAiOiI0NzI5MTMifQ==",
            ),
            (Form::Percent, "%34%38%32%39%31%33", "%34%37%32%39%31%33"),
            (Form::Hex, "343832393133", "343732393133"),
            (
                Form::Decimal,
                "[52, 56, 50, 57, 49, 51]",
                "[52, 55, 50, 57, 49, 51]",
            ),
            (Form::Decimal, "[52,56,50,57,49,51]", "[52,55,50,57,49,51]"),
        ] {
            let forms = |said: &str| needles().forms_in(format!("a {said} z").as_bytes());
            assert_eq!(forms(this), [form], "{this}");
            assert_eq!(forms(another), [], "{another}");
        }
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let said = "backend{method=POST path=\"/login\" status=200}: answered ".repeat(1000);
        assert_eq!(needles().lines_in(said.as_bytes()).len(), 0);
    }
}
