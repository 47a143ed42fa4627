//! Answers that set or delete the refresh cookie and must not: their status decides nothing, or
//! their body is not one that the backend sends.

use super::{HTML, JSON, NetworkFault, PAGE, REFUSAL, promised_more, says};
use crate::proxy::{End, Script};

/// The ways to delete a cookie.
const DELETIONS: [(&str, &str); 3] = [
    ("Max-Age=0", "__refresh_token=x; Path=/; Max-Age=0"),
    (
        "a past date",
        "__refresh_token=x; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    ),
    ("an empty value", "__refresh_token=; Path=/; Max-Age=604800"),
];

pub(super) fn rows() -> Vec<NetworkFault> {
    let mut rows = Vec::new();
    for (way, line) in DELETIONS {
        let json = format!("{JSON}set-cookie: {line}\r\n");
        let html = format!("{HTML}set-cookie: {line}\r\n");
        for status in [
            "500 Error",
            "502 Bad Gateway",
            "429 Slow Down",
            "404 Not Found",
        ] {
            rows.push(says(
                format!("{status} that deletes the cookie by {way}"),
                Script::answer(status, &json, REFUSAL),
            ));
        }
        rows.extend([
            says(
                format!("200 with a page that deletes the cookie by {way}"),
                Script::answer("200 OK", &html, PAGE),
            ),
            says(
                format!("401 with a page that deletes the cookie by {way}"),
                Script::answer("401 Unauthorized", &html, PAGE),
            ),
            says(
                format!("302 that deletes the cookie by {way}"),
                Script::answer("302 Found", &format!("{html}location: /\r\n"), ""),
            ),
            says(
                format!("200 that deletes the cookie by {way} and breaks off"),
                promised_more("200 OK", &json, "{", End::Reset),
            ),
            says(
                format!("401 that deletes the cookie by {way} and breaks off"),
                promised_more("401 Unauthorized", &json, REFUSAL, End::Close),
            ),
        ]);
    }
    for status in ["500 Error", "503 Busy", "403 Forbidden"] {
        rows.push(says(
            format!("{status} that sets another cookie"),
            Script::answer(
                status,
                &format!("{JSON}set-cookie: __refresh_token=not-ours; Path=/; Max-Age=900\r\n"),
                REFUSAL,
            ),
        ));
    }
    rows
}
