//! How long a token is valid, in each form that backends write it. Pure: the caller passes the time
//! at which the backend sent the answer.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::jwt;
use crate::moment;
use crate::profile::{Expiry, ExpiryForm};

/// How long `token` is still valid at `now`, by the first of `expiries` that can be read in `body`.
/// An end in the past may come from a wrong clock on either side, so it counts as unknown.
pub fn token_lifetime(
    expiries: &[Expiry],
    body: &Value,
    token: Option<&str>,
    now: SystemTime,
) -> Option<Duration> {
    let read = |expiry: &Expiry| {
        let found = match &expiry.at {
            Some(at) => at.find(body),
            None => None,
        };
        match expiry.form {
            ExpiryForm::TtlS => life(found?, 1.0),
            ExpiryForm::TtlMs => life(found?, 0.001),
            // No moment can be meant in two forms, so that each is read under any name.
            ExpiryForm::EpochS | ExpiryForm::EpochMs | ExpiryForm::Iso8601 => until(found?, now),
            ExpiryForm::JwtExp => {
                let token = match &expiry.at {
                    Some(_) => found?.as_str()?,
                    None => token?,
                };
                until(jwt::claims(token)?.get("exp")?, now)
            }
        }
    };
    let some = |lifetime: &Duration| !lifetime.is_zero();
    expiries.iter().find_map(|expiry| read(expiry).filter(some))
}

/// A length of time: a number in this unit, given in seconds, or a text with a unit of its own, as
/// Google's `3600s` and the `15m` of Node's libraries.
pub(crate) fn life(value: &Value, unit: f64) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()? * unit,
        Value::String(text) => match text.trim().parse::<f64>() {
            Ok(number) => number * unit,
            Err(_) => in_own_unit(text.trim())?,
        },
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok()
}

/// The seconds in a text such as `3600s`, `15m` or `7 days`.
fn in_own_unit(text: &str) -> Option<f64> {
    let (number, unit) = text.split_at(text.find(|c: char| c.is_ascii_alphabetic())?);
    let unit = match unit.to_ascii_lowercase().as_str() {
        "ms" => 0.001,
        "s" | "sec" | "second" | "seconds" => 1.0,
        "m" | "min" | "minute" | "minutes" => 60.0,
        "h" | "hour" | "hours" => 3600.0,
        "d" | "day" | "days" => 86_400.0,
        _ => return None,
    };
    Some(number.trim().parse::<f64>().ok()? * unit)
}

fn until(end: &Value, now: SystemTime) -> Option<Duration> {
    let end = UNIX_EPOCH + Duration::from_millis(moment::epoch_ms(end)?);
    end.duration_since(now).ok()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn at(pointer: &str, form: &str) -> Expiry {
        serde_json::from_value(json!({"at": pointer, "as": form})).unwrap()
    }

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)
    }

    fn jwt(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn each_form_is_read() {
        let minute = Some(Duration::from_secs(60));
        for (form, value) in [
            ("iso8601", json!("2001-09-09T01:47:40.000Z")),
            ("iso8601", json!("2001-09-09T03:47:40+02:00")),
            ("iso8601", json!("2001-09-09 01:47:40")),
            ("iso8601", json!("2001-09-09T01:47:40.000000+0000")),
            ("iso8601", json!("Sun, 09 Sep 2001 01:47:40 GMT")),
            ("epoch_s", json!(1_000_000_060)),
            ("epoch_s", json!("1000000060")),
            ("epoch_ms", json!(1_000_000_060_000_u64)),
            ("ttl_s", json!(60)),
            ("ttl_s", json!(" 60.0 ")),
            ("ttl_s", json!("60s")),
            ("ttl_s", json!("1m")),
            ("ttl_s", json!(" 1 minute ")),
            ("ttl_ms", json!(60_000)),
            ("ttl_ms", json!("60000")),
            ("ttl_ms", json!("60000 ms")),
            ("iso8601", json!("Sun, 9 Sep 2001 03:47:40 +0200")),
            ("iso8601", json!("Sun Sep 09 2001 03:47:40 GMT+0200 (CEST)")),
            ("iso8601", json!("2001-09-09 01:47:40.0 +0000 UTC m=+0.1")),
            ("iso8601", json!(1_000_000_060)),
            ("epoch_s", json!(1_000_000_060_000_u64)),
            ("jwt_exp", json!(jwt(r#"{"exp":1000000060}"#))),
            ("jwt_exp", json!(jwt(r#"{"exp":"1000000060"}"#))),
            (
                "jwt_exp",
                json!(jwt(r#"{"exp":1000000060.0,"name":"\ud83d"}"#)),
            ),
        ] {
            let body = json!({"x": value});
            assert_eq!(
                token_lifetime(&[at("/x", form)], &body, None, now()),
                minute,
                "{form}"
            );
        }
        let own: Expiry = serde_json::from_value(json!({"as": "jwt_exp"})).unwrap();
        let token = jwt(r#"{"iat":1,"exp":1000000060.0}"#);
        assert_eq!(
            token_lifetime(&[own], &Value::Null, Some(&token), now()),
            minute
        );
    }

    #[test]
    fn the_first_that_can_be_read_counts_and_the_past_does_not() {
        for odd in [
            json!(-60),
            json!("-60s"),
            json!("60 x"),
            json!("s"),
            json!("inf"),
            json!([60]),
        ] {
            let body = json!({"x": odd});
            let read = token_lifetime(&[at("/x", "ttl_s")], &body, None, now());
            assert_eq!(read, None, "{odd}");
        }
        let body = json!({"ttl": "soon", "end": "1999-01-01T00:00:00Z", "s": 30, "zero": 0});
        let expiries = [
            at("/ttl", "ttl_s"),
            at("/end", "iso8601"),
            at("/s", "ttl_s"),
        ];
        let half = Some(Duration::from_secs(30));
        assert_eq!(token_lifetime(&expiries, &body, None, now()), half);
        assert_eq!(token_lifetime(&expiries[..2], &body, None, now()), None);
        assert_eq!(
            token_lifetime(&[at("/zero", "ttl_s")], &body, None, now()),
            None
        );
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(
            number in any::<f64>(), text in ".{0,60}", form in 0..6_usize, whole in any::<i64>(),
        ) {
            let forms = ["iso8601", "epoch_s", "epoch_ms", "ttl_s", "ttl_ms", "jwt_exp"];
            let expiry = [at("/x", forms[form])];
            for value in [json!(number), json!(text), json!(whole), json!([text]), Value::Null] {
                let _ = token_lifetime(&expiry, &json!({"x": value}), Some(&text), now());
                let _ = token_lifetime(&expiry, &json!({"x": jwt(&value.to_string())}), None, now());
            }
            let token = jwt(&format!(r#"{{"exp":{number:e}}}"#));
            let _ = token_lifetime(&expiry, &json!({"x": token}), None, now());
        }
    }
}
