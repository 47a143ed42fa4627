//! Looks for marks in anything, in every form that a program could have given them. A mark is
//! found in one pass however many forms it has, so that hundreds of megabytes take a moment.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::secrecy::needles::{FORMS, Form};

/// What a mark has come to look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Look {
    /// How it is written.
    pub form: Form,
    /// Two bytes to a character, as engines keep text that is not all Latin.
    pub wide: bool,
}

/// Every look that is told from the others.
pub fn looks() -> impl Iterator<Item = Look> {
    let both = |form| [false, true].map(|wide| Look { form, wide });
    FORMS.into_iter().flat_map(both)
}

/// Where a mark is.
#[derive(Clone, Copy, Debug)]
pub struct Hit {
    /// Which of the marks, in the order in which they were given.
    pub mark: usize,
    /// What it looks like.
    pub look: Look,
    /// The place of its first byte.
    pub at: usize,
    /// The place after its last.
    pub end: usize,
}

/// All looks of some marks.
pub struct Search {
    finder: AhoCorasick,
    patterns: Vec<(usize, Look)>,
    longest: usize,
}

impl Search {
    /// For these marks.
    ///
    /// # Panics
    /// If they are too long to be searched for.
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

    /// The length of the longest look.
    pub fn longest(&self) -> usize {
        self.longest
    }

    /// Every place in these bytes.
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
