//! Parses a recording. Anything unexpected is a panic, since a recording that is silently cut short
//! would make a test pass.

use crate::exchange::{Answer, Exchange, Wanted};

/// The recording of hagopj13/node-express-boilerplate.
pub const NODE_EXPRESS_BOILERPLATE: &str = include_str!("../node-express-boilerplate.txt");
/// The recording of Directus 11.1.
pub const DIRECTUS: &str = include_str!("../directus-11.1.0.txt");
/// The recording of a Better Auth server.
pub const BETTER_AUTH: &str = include_str!("../better-auth-1.7.25.txt");
/// Supabase Auth. This one is NOT recorded, but written from its published contract.
pub const SUPABASE_BY_CONTRACT: &str = include_str!("../supabase-by-contract.txt");

/// Exchanges, in the order in which they happened.
#[derive(Clone, Debug)]
pub struct Recording {
    pub(crate) exchanges: Vec<Exchange>,
}

impl Recording {
    /// Parses a recording.
    ///
    /// # Panics
    /// If it is not a recording.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut section = String::new();
        let mut exchanges = Vec::new();
        for block in text.split("\n$ ").skip(1) {
            let (command, answer) = block.split_once('\n').expect("a command and its answer");
            exchanges.push(Exchange {
                section: section.clone(),
                wanted: Wanted::parse(command),
                answer: Answer::parse(answer),
            });
            // A heading follows the answer of the exchange before it.
            let heading = answer
                .lines()
                .rev()
                .find_map(|line| line.strip_prefix("## "));
            if let Some(heading) = heading {
                section = heading.trim().to_owned();
            }
        }
        assert!(
            !exchanges.is_empty(),
            "the recording has at least one exchange"
        );
        Self { exchanges }
    }

    /// The exchanges from the heading `first` on, for a test that begins in the middle.
    ///
    /// # Panics
    /// If there is no such heading.
    #[must_use]
    pub fn from(mut self, first: &str) -> Self {
        let at = (self.exchanges.iter()).position(|exchange| exchange.section == first);
        let at = at.unwrap_or_else(|| panic!("no heading {first:?}"));
        self.exchanges.drain(..at);
        self
    }

    /// Every exchange.
    #[must_use]
    pub fn exchanges(&self) -> &[Exchange] {
        &self.exchanges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_exchange_is_understood_to_its_last_byte() {
        for (text, least) in [
            (NODE_EXPRESS_BOILERPLATE, 13),
            (DIRECTUS, 19),
            (BETTER_AUTH, 21),
            (SUPABASE_BY_CONTRACT, 9),
        ] {
            let recording = Recording::parse(text);
            let count = text.matches("\n$ curl").count();
            assert_eq!(recording.exchanges.len(), count);
            assert!(count >= least, "{count} of {least}");
            for exchange in &recording.exchanges {
                let Answer { body, headers, .. } = &exchange.answer;
                let length = headers.iter().find(|(name, _)| name == "content-length");
                if let Some((_, length)) = length {
                    assert_eq!(length, &body.len().to_string(), "{:?}", exchange.wanted);
                }
                let is_json = (headers.iter())
                    .any(|(name, kind)| name == "content-type" && kind.contains("json"));
                if is_json {
                    let parsed: Result<serde_json::Value, _> = serde_json::from_str(body);
                    assert!(parsed.is_ok(), "{body}");
                }
            }
        }
    }

    #[test]
    fn a_test_may_begin_in_the_middle() {
        let recording = Recording::parse(DIRECTUS).from("TOTP");
        let first = &recording.exchanges[0];
        assert_eq!(first.wanted.path, "/auth/login");
        assert!(first.answer.body.contains("INVALID_OTP"));
    }
}
