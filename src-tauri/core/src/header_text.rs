//! The text of a header. HTTP leaves bytes beyond ASCII to both sides (RFC 9110 §5.5): most backends
//! write UTF-8 there, older ones Latin-1, and browsers take both.

use std::borrow::Cow;
use std::fmt::Write as _;

use http::HeaderValue;
use zeroize::Zeroizing;

/// The characters for private use that stand for bytes begin here.
const RAW: u32 = 0xf700;

/// The value as a text: UTF-8, and where it is not that, Latin-1, which each byte is a character of.
pub fn text(value: &HeaderValue) -> Cow<'_, str> {
    match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(for_page(value)),
    }
}

/// The value as `fetch` gives it to a page: a character for each byte. A page's own `Headers` object takes
/// no other characters.
pub(crate) fn for_page(value: &HeaderValue) -> String {
    value.as_bytes().iter().copied().map(char::from).collect()
}

/// The value that a page has set, as `fetch` sends it: a byte for each character. What has other characters
/// comes from native code, and is sent as UTF-8. `None` if no header can hold it.
pub(crate) fn from_page(text: &str) -> Option<HeaderValue> {
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(c).ok()).collect();
    let bytes = bytes.as_deref().unwrap_or(text.as_bytes());
    HeaderValue::from_bytes(bytes).ok()
}

/// A `Set-Cookie` line, from which the cookie goes back byte by byte, as a browser sends it. Each byte beyond
/// ASCII of a line that is no UTF-8 stands in the text as a character for private use.
pub(crate) fn cookie_line(value: &HeaderValue) -> Cow<'_, str> {
    std::str::from_utf8(value.as_bytes()).map_or_else(
        |_| value.as_bytes().iter().copied().map(raw).collect(),
        Cow::Borrowed,
    )
}

fn raw(byte: u8) -> char {
    match byte.is_ascii() {
        true => char::from(byte),
        false => char::from_u32(RAW + u32::from(byte)).unwrap_or_default(),
    }
}

/// The value of `Cookie` with this text, where the bytes of such lines are bytes again. `None` if no header
/// can hold it.
pub(crate) fn cookies(text: &str) -> Option<HeaderValue> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    for c in text.chars() {
        let byte = u32::from(c)
            .checked_sub(RAW)
            .and_then(|code| u8::try_from(code).ok());
        match byte.filter(|byte| !byte.is_ascii()) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    HeaderValue::from_bytes(&bytes).ok()
}

/// The address in a `Location` as browsers read it: each byte beyond ASCII is percent-encoded, so that the
/// server gets back the bytes that it wrote.
pub fn address(value: &HeaderValue) -> String {
    let mut address = String::with_capacity(value.len());
    for byte in value.as_bytes() {
        if byte.is_ascii() {
            address.push(char::from(*byte));
        } else {
            // A `String` takes everything.
            let _ = write!(address, "%{byte:02X}");
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(bytes: &[u8]) -> HeaderValue {
        HeaderValue::from_bytes(bytes).expect("a header's value")
    }

    #[test]
    fn bytes_beyond_ascii_are_read_as_utf8_or_else_as_latin1() {
        assert_eq!(text(&value(b"plain")), "plain");
        assert_eq!(text(&value("Jürgen".as_bytes())), "Jürgen");
        assert_eq!(text(&value(b"J\xfcrgen")), "Jürgen");
    }

    #[test]
    fn a_page_gets_and_sets_one_byte_for_each_character() {
        assert_eq!(for_page(&value(b"J\xfcrgen")), "Jürgen");
        assert_eq!(for_page(&value("ü".as_bytes())), "Ã¼");
        let sent = |text| from_page(text).map(|value| value.as_bytes().to_vec());
        assert_eq!(sent("Jürgen"), Some(b"J\xfcrgen".to_vec()));
        assert_eq!(sent("Ł"), Some("Ł".as_bytes().to_vec()));
        assert_eq!(sent("a\nb"), None);
    }

    #[test]
    fn a_cookie_goes_back_byte_by_byte() {
        for line in [
            &b"a=1"[..],
            "a=J\u{fc}rgen".as_bytes(),
            b"a=J\xfcrgen\x80\xff",
        ] {
            let value = value(line);
            let back = cookies(&cookie_line(&value));
            assert_eq!(back, Some(value));
        }
        assert_eq!(cookies("a\nb"), None);
    }

    #[test]
    fn an_address_keeps_the_bytes_that_the_server_wrote() {
        assert_eq!(address(&value(b"/me?a=%20b")), "/me?a=%20b");
        assert_eq!(address(&value("/mü".as_bytes())), "/m%C3%BC");
        assert_eq!(address(&value(b"/m\xfc")), "/m%FC");
    }
}
