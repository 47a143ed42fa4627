//! How long a token is valid, in each form that backends write it. Pure: the caller passes the time
//! at which the backend sent the answer.

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde_json::Value;
use time::OffsetDateTime;

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
        let text = found.and_then(Value::as_str);
        let number = || found.and_then(number);
        match expiry.form {
            ExpiryForm::TtlS => positive(number()?),
            ExpiryForm::TtlMs => positive(number()? / 1000.0),
            ExpiryForm::EpochS => since(number()?, now),
            ExpiryForm::EpochMs => since(number()? / 1000.0, now),
            ExpiryForm::Iso8601 => {
                let end = moment::parse(text?)?;
                Duration::try_from(end - OffsetDateTime::from(now)).ok()
            }
            ExpiryForm::JwtExp if expiry.at.is_some() => since(jwt_exp(text?)?, now),
            ExpiryForm::JwtExp => since(jwt_exp(token?)?, now),
        }
    };
    let some = |lifetime: &Duration| !lifetime.is_zero();
    expiries.iter().find_map(|expiry| read(expiry).filter(some))
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn positive(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok()
}

fn since(end: f64, now: SystemTime) -> Option<Duration> {
    let now = now.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    positive(end - now.as_secs_f64())
}

/// The `exp` of a JWT. Its signature is not checked: the value only plans the next refresh.
fn jwt_exp(token: &str) -> Option<f64> {
    #[derive(Deserialize)]
    struct Claims {
        exp: f64,
    }
    let claims: Claims = jwt::claims(token)?;
    Some(claims.exp)
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
            ("ttl_ms", json!(60_000)),
            ("jwt_exp", json!(jwt(r#"{"exp":1000000060}"#))),
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
