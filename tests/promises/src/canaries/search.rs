//! Searches bytes for marks in every form in which a program could have written them. One pass
//! finds all forms, so that hundreds of megabytes take a moment.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::secrecy::needles::{FORMS, Form};

/// The form in which a mark was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Look {
    /// Its encoding.
    pub form: Form,
    /// Two bytes for each character, as engines store text that is not all Latin-1.
    pub wide: bool,
}

/// Every look that the search tells apart.
pub fn looks() -> impl Iterator<Item = Look> {
    let both = |form| [false, true].map(|wide| Look { form, wide });
    FORMS.into_iter().flat_map(both)
}

/// A mark that was found.
#[derive(Clone, Copy, Debug)]
pub struct Hit {
    /// Which mark, as an index into those given.
    pub mark: usize,
    /// The form it was found in.
    pub look: Look,
    /// The index of its first byte.
    pub at: usize,
    /// The index after its last byte.
    pub end: usize,
}

/// A search for some marks in all looks.
pub struct Search {
    finder: AhoCorasick,
    patterns: Vec<(usize, Look)>,
    longest: usize,
}

impl Search {
    /// A search for these marks.
    ///
    /// # Panics
    /// If the marks are too many or too long for the search automaton.
    pub fn of(marks: &[&str]) -> Self {
        let (mut texts, mut patterns) = (Vec::new(), Vec::new());
        for (mark, text) in marks.iter().enumerate() {
            for look in looks() {
                for text in look.form.of(text.as_bytes()) {
                    texts.push(look.bytes(&text));
                    patterns.push((mark, look));
                }
            }
        }
        let finder = AhoCorasick::builder()
            .kind(Some(AhoCorasickKind::DFA))
            .build(&texts);
        Self {
            finder: finder.expect("a few short marks"),
            patterns,
            longest: texts.iter().map(Vec::len).max().unwrap_or_default(),
        }
    }

    /// The length of the longest form of a mark.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// Every mark in these bytes.
    pub fn hits<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = Hit> + 'a {
        self.finder.find_iter(bytes).map(|found| {
            let (mark, look) = self.patterns[found.pattern().as_usize()];
            Hit {
                mark,
                look,
                at: found.start(),
                end: found.end(),
            }
        })
    }
}

impl Look {
    fn bytes(self, text: &str) -> Vec<u8> {
        match self.wide {
            false => text.as_bytes().to_vec(),
            true => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: &str = "canary0123456789abcdefABCDEF";

    #[test]
    fn every_look_is_found_amid_other_bytes_and_told_from_the_others() {
        let search = Search::of(&["another0123456789", MARK]);
        for look in looks() {
            for text in look.form.of(MARK.as_bytes()) {
                let said = look.bytes(&format!("a {text} z"));
                let hits: Vec<_> = search.hits(&said).map(|hit| (hit.mark, hit.look)).collect();
                assert_eq!(hits, [(1, look)], "{text}");
            }
        }
        assert_eq!(search.hits(&[0; 10_000]).count(), 0);
    }
}
