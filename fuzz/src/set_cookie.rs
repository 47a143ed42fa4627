//! `Set-Cookie`: a backend or a proxy can send any line.

use time::OffsetDateTime;
use url::Url;
use vestibule_core::testing::Jar;
use vestibule_core::{RefreshChange, RefreshCookie, RefreshToken};

use super::is_header_text;

const SENDERS: [&str; 4] = [
    "https://api.vestibule.test/v1/login",
    "http://127.0.0.1:4580/login",
    "http://[::1]:4580/a/b/c",
    "http://localhost:4580/",
];

/// Hosts outside of every sender's domain.
const STRANGERS: [&str; 4] = [
    "https://evil.example/",
    "https://127.0.0.2/",
    "https://evil-api.vestibule.example/v1/login",
    "http://[::2]/",
];

/// The first byte picks the sender; each further line is one header of one answer.
pub fn set_cookie(data: &[u8]) {
    let Some((pick, lines)) = data.split_first() else {
        return;
    };
    let sender = Url::parse(SENDERS[usize::from(*pick) % SENDERS.len()]).expect("a constant");
    let names = ["__refresh_token".to_owned(), "t".to_owned()];
    let now = OffsetDateTime::UNIX_EPOCH + time::Duration::days(20_000);
    let jar = Jar::default();
    let mut token = RefreshToken::default();
    for line in String::from_utf8_lossy(lines).lines() {
        // The parser must also survive a line that cannot be a header.
        jar.honour(line, &sender, now);
        let change = RefreshCookie::from_line(line, &sender, &names, now);
        if !is_header_text(line) {
            continue;
        }
        if let Some(RefreshChange::Set(cookie)) = &change {
            let _ = cookie.expires();
            for stranger in STRANGERS {
                let stranger = Url::parse(stranger).expect("a constant");
                assert!(!cookie.goes_to(&stranger), "a token for {stranger}");
            }
        }
        token.apply(change.into_iter().collect());
    }
    let _ = (token.expires(), token.fingerprint_bytes());
    let bytes = serde_json::to_vec(&token).expect("strings and numbers");
    let read: RefreshToken = serde_json::from_slice(&bytes).expect("what was written");
    assert!(read == token, "the item holds another token after writing");
    for (name, value) in token.pairs(&sender) {
        assert!(names.contains(&name), "a cookie of another name");
        assert!(!value.is_empty(), "an empty value is a deletion");
        assert!(goes_into_a_header(&name) && goes_into_a_header(&value));
    }
    for stranger in STRANGERS {
        let stranger = Url::parse(stranger).expect("a constant");
        assert!(jar.pairs(&stranger).is_empty(), "a cookie for {stranger}");
    }
}

/// Whether the text fits into a header and cannot be read as two cookies.
fn goes_into_a_header(text: &str) -> bool {
    is_header_text(text) && !text.contains(';')
}
