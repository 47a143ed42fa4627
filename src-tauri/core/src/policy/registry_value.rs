//! Converts registry values to JSON. Bytes go in, so that it can be tested on any system.

use serde_json::Value;

/// The type of a value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum ValueKind {
    /// `REG_SZ` or `REG_EXPAND_SZ`, which is not expanded.
    Text,
    /// `REG_MULTI_SZ`: a list of texts.
    Texts,
    /// `REG_DWORD` or `REG_QWORD`.
    Number,
    /// A type that no policy has.
    Other,
}

/// Reads a value of this type. The texts `true` and `false` become booleans, because the registry
/// has no type for them.
///
/// # Errors
/// Why the value cannot be read, in words.
pub(crate) fn read(kind: ValueKind, bytes: &[u8]) -> Result<Value, String> {
    match kind {
        ValueKind::Text => Ok(match text(bytes)?.as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            text => Value::from(text),
        }),
        ValueKind::Texts => {
            let whole = text(bytes)?;
            let texts = whole.split('\0').filter(|text| !text.is_empty());
            Ok(texts.map(Value::from).collect())
        }
        ValueKind::Number => match *bytes {
            [a, b, c, d] => Ok(u32::from_le_bytes([a, b, c, d]).into()),
            [a, b, c, d, e, f, g, h] => Ok(u64::from_le_bytes([a, b, c, d, e, f, g, h]).into()),
            _ => Err("is a number of another length than 4 or 8 bytes".into()),
        },
        ValueKind::Other => Err("must be REG_SZ, REG_MULTI_SZ, REG_DWORD or REG_QWORD".into()),
    }
}

/// UTF-16 without the zeros at its end; there may be none.
fn text(bytes: &[u8]) -> Result<String, String> {
    let units = bytes.chunks(2).map(|unit| match *unit {
        [low, high] => Ok(u16::from_le_bytes([low, high])),
        _ => Err("is a text with an odd number of bytes".to_owned()),
    });
    let units = units.collect::<Result<Vec<u16>, String>>()?;
    let text = String::from_utf16(&units).map_err(|_| "is not UTF-16".to_owned())?;
    Ok(text.trim_end_matches('\0').to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn each_type_has_its_meaning() {
        for (kind, bytes, meant) in [
            (
                ValueKind::Text,
                utf16("https://a.example\0"),
                json!("https://a.example"),
            ),
            (ValueKind::Text, utf16("no zero"), json!("no zero")),
            (ValueKind::Text, utf16("\0"), json!("")),
            (ValueKind::Text, utf16("false\0"), json!(false)),
            (ValueKind::Text, utf16("true\0"), json!(true)),
            (
                ValueKind::Texts,
                utf16("backend\0api.allow\0\0"),
                json!(["backend", "api.allow"]),
            ),
            (ValueKind::Texts, utf16("\0"), json!([])),
            (ValueKind::Number, vec![1, 0, 0, 0], json!(1)),
            (ValueKind::Number, vec![0, 1, 0, 0, 0, 0, 0, 0], json!(256)),
        ] {
            assert_eq!(read(kind, &bytes), Ok(meant), "{kind:?}");
        }
    }

    #[test]
    fn what_is_none_is_refused_and_not_repeated() {
        for (kind, bytes) in [
            (ValueKind::Text, vec![b'x']),
            (ValueKind::Text, vec![0, 0xd8]),
            (ValueKind::Number, vec![1]),
            (ValueKind::Other, utf16("hunter2")),
        ] {
            let said = read(kind, &bytes).expect_err("it is none");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}
