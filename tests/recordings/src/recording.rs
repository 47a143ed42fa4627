//! Parses a recording. Anything unexpected is a panic, since a recording that is silently cut short
//! would make a test pass.

use crate::exchange::{Answer, Exchange, Wanted};

/// The recording of hagopj13/node-express-boilerplate.
pub const NODE_EXPRESS_BOILERPLATE: &str = include_str!("../node-express-boilerplate.txt");
/// The recording of Directus 11.1.
pub const DIRECTUS: &str = include_str!("../directus-11.1.0.txt");
/// The recording of a Better Auth server.
pub const BETTER_AUTH: &str = include_str!("../better-auth-1.7.25.txt");
/// dj-rest-auth 7.2.
pub const DJ_REST_AUTH: &str = include_str!("../dj-rest-auth-7.2.0.txt");
/// djoser 2.3 with Simple JWT.
pub const DJOSER: &str = include_str!("../djoser-2.3.5.txt");
/// django-oauth-toolkit 3.4, with the password grant.
pub const DJANGO_OAUTH_TOOLKIT: &str = include_str!("../django-oauth-toolkit-3.4.1.txt");
/// FastAPI-Users 15, with the bearer transport and JWTs.
pub const FASTAPI_USERS: &str = include_str!("../fastapi-users-15.0.5.txt");
/// Strapi 5.54 as a new project has it.
pub const STRAPI: &str = include_str!("../strapi-5.54.0.txt");
/// Strapi 5.54 with refresh tokens.
pub const STRAPI_SESSIONS: &str = include_str!("../strapi-sessions-5.54.0.txt");
/// Parse Server 9.10.
pub const PARSE: &str = include_str!("../parse-server-9.10.0.txt");
/// Feathers 5.
pub const FEATHERS: &str = include_str!("../feathers-5.0.50.txt");
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
            (DJ_REST_AUTH, 18),
            (DJOSER, 15),
            (DJANGO_OAUTH_TOOLKIT, 9),
            (FASTAPI_USERS, 11),
            (STRAPI, 11),
            (STRAPI_SESSIONS, 18),
            (PARSE, 13),
            (FEATHERS, 9),
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
