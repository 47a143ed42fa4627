//! How a request's body is written: as JSON, or as a form.

use std::io::{self, Write};

use serde::Deserialize;
use serde_json::{Map, Value};
use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

use super::body_template::{BodyTemplate, write_measured};
use super::placeholder::{Placeholder, Variables};

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// How a body is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// As JSON.
    #[default]
    Json,
    /// As the form of a web page (`application/x-www-form-urlencoded`), which OAuth's token
    /// endpoints want (RFC 6749 §4.3.2): texts, numbers and truths by name, and no table within.
    Form,
}

/// A member that no form can hold, because it is a list, a table or null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NoField;

impl Encoding {
    /// The media type of such a body, where the endpoint names no other.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Json => JSON,
            Self::Form => FORM,
        }
    }

    /// Checks what a profile calls the media type of such a body.
    pub(super) fn check_type(self, content_type: &str) -> Result<(), &'static str> {
        let is_sign = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c);
        let is_name = |name: &str| !name.is_empty() && name.chars().all(is_sign);
        let (media_type, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
        let media_type = media_type.trim_end();
        let names = media_type.split_once('/');
        let is_type = names.is_some_and(|(kind, name)| is_name(kind) && is_name(name));
        if !is_type || !parameters.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
            return Err("is not a media type, such as `application/json`");
        }
        match (self, media_type.eq_ignore_ascii_case(FORM)) {
            (Self::Json, true) => Err("is the type of a form: write `encoding = \"form\"`"),
            (Self::Form, false) => Err("is not the type of a form, which `encoding` asks for"),
            (Self::Json, false) | (Self::Form, true) => Ok(()),
        }
    }

    /// Checks that `body` can be written like this. The error has the path of what cannot, such as
    /// `.user`, and why.
    pub(super) fn check(self, body: &BodyTemplate) -> Result<(), (String, &'static str)> {
        let Self::Form = self else { return Ok(()) };
        let BodyTemplate::Table(members) = body else {
            return Err((
                String::new(),
                "must be a table, because it is sent as a form",
            ));
        };
        for (name, member) in members {
            let reason = match member {
                BodyTemplate::Text(text) if text.lone() == Some(Placeholder::Device) => {
                    "holds `$device`, which is a table, but is sent as a form: a form holds texts"
                }
                BodyTemplate::Text(_) | BodyTemplate::Number(_) | BodyTemplate::Bool(_) => continue,
                BodyTemplate::List(_) | BodyTemplate::Table(_) | BodyTemplate::Null => {
                    "must be a text, a number or a truth, because it is sent as a form"
                }
            };
            return Err((format!(".{name}"), reason));
        }
        Ok(())
    }

    /// The body with all values filled in. It also gets those members of `more` that the template
    /// does not have.
    pub(super) fn fill(
        self,
        body: &BodyTemplate,
        variables: &Variables<'_>,
        more: Option<&Map<String, Value>>,
    ) -> Result<Zeroizing<Vec<u8>>, NoField> {
        match (self, body) {
            (Self::Form, BodyTemplate::Table(members)) => {
                let fields = fields(members, variables, more)?;
                Ok(write_measured(&|out| write_form(&fields, out)))
            }
            (Self::Json | Self::Form, _) => Ok(body.fill(variables, more)),
        }
    }
}

/// The fields of a form, in order. A member whose value is not known is left out, as it is in JSON.
fn fields(
    members: &[(String, BodyTemplate)],
    variables: &Variables<'_>,
    more: Option<&Map<String, Value>>,
) -> Result<Vec<(String, Zeroizing<String>)>, NoField> {
    let mut fields = Vec::new();
    for (name, member) in members {
        let value = match member {
            BodyTemplate::Text(text) => text.fill(variables),
            BodyTemplate::Number(number) => Some(Zeroizing::new(number.to_string())),
            BodyTemplate::Bool(value) => Some(Zeroizing::new(value.to_string())),
            BodyTemplate::List(_) | BodyTemplate::Table(_) | BodyTemplate::Null => {
                return Err(NoField);
            }
        };
        fields.extend(value.map(|value| (name.clone(), value)));
    }
    for (name, value) in more.into_iter().flatten() {
        if members.iter().any(|(held, _)| held == name) {
            continue;
        }
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(value) => value.to_string(),
            Value::Null => continue,
            Value::Array(_) | Value::Object(_) => return Err(NoField),
        };
        fields.push((name.clone(), Zeroizing::new(value)));
    }
    Ok(fields)
}

/// The bytes of a form with these fields.
pub(crate) fn form_body(fields: &[(&str, &str)]) -> Zeroizing<Vec<u8>> {
    let fields = fields.iter();
    let fields: Vec<_> = fields
        .map(|(name, value)| ((*name).to_owned(), Zeroizing::new((*value).to_owned())))
        .collect();
    write_measured(&|out| write_form(&fields, out))
}

fn write_form(fields: &[(String, Zeroizing<String>)], out: &mut dyn Write) -> io::Result<()> {
    let mut lead: &[u8] = b"";
    let encode = |text: &str, out: &mut dyn Write| {
        byte_serialize(text.as_bytes()).try_for_each(|piece| out.write_all(piece.as_bytes()))
    };
    for (name, value) in fields {
        out.write_all(std::mem::replace(&mut lead, b"&"))?;
        encode(name, out)?;
        out.write_all(b"=")?;
        encode(value, out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use url::form_urlencoded;

    use super::*;
    use crate::secrets::Secret;

    fn form(
        template: Value,
        variables: &Variables<'_>,
        more: Option<&Map<String, Value>>,
    ) -> Result<String, NoField> {
        let body: BodyTemplate = serde_json::from_value(template).unwrap();
        assert_eq!(Encoding::Form.check(&body), Ok(()));
        let filled = Encoding::Form.fill(&body, variables, more)?;
        Ok(String::from_utf8(filled.to_vec()).expect("ASCII"))
    }

    #[test]
    fn a_form_has_its_fields_in_order_and_without_the_unknown() {
        let password = Secret::new("a b+c&d=é\"%");
        let variables = Variables {
            identifier: Some("ann@example.com"),
            password: Some(&password),
            ..Variables::default()
        };
        let template = || {
            json!({
                "a": "password", "b": "$identifier", "c": "$password", "code": "$otp",
                "d": 7, "e": true, "f": "", "scope": "openid offline_access",
            })
        };
        let start = "a=password&b=ann%40example.com&c=a+b%2Bc%26d%3D%C3%A9%22%25&d=7&e=true&f=";
        let written = form(template(), &variables, None);
        assert_eq!(written, Ok(format!("{start}&scope=openid+offline_access")));
        assert_eq!(form(json!({}), &variables, None), Ok(String::new()));

        let more = json!({"a": "forged", "n": 1.5, "nothing": null, "x y": "$password"});
        let written = form(template(), &variables, more.as_object());
        let end = "&n=1.5&x+y=%24password";
        assert_eq!(
            written,
            Ok(format!("{start}&scope=openid+offline_access{end}")),
            "what is added goes under what is there, and is no template"
        );
        for nested in [json!({"x": {}}), json!({"x": ["a"]})] {
            let written = form(template(), &variables, nested.as_object());
            assert_eq!(written, Err(NoField), "{nested}");
        }
    }

    #[test]
    fn a_media_type_fits_the_encoding() {
        for (encoding, content_type, fits) in [
            (Encoding::Json, "application/x-amz-json-1.1", true),
            (Encoding::Json, "application/json; charset=utf-8", true),
            (Encoding::Json, "application/vnd.api+json", true),
            (
                Encoding::Form,
                "application/x-www-form-urlencoded; charset=UTF-8",
                true,
            ),
            (Encoding::Form, "Application/X-WWW-Form-Urlencoded", true),
            (Encoding::Form, "application/json", false),
            (Encoding::Json, "application/x-www-form-urlencoded", false),
            (Encoding::Json, "", false),
            (Encoding::Json, "json", false),
            (Encoding::Json, "a/b/c", false),
            (Encoding::Json, "application/", false),
            (Encoding::Json, "application/json\r\nx: y", false),
            (Encoding::Json, "application/json; x=\u{e9}", false),
            (Encoding::Json, "application/js on", false),
        ] {
            let checked = encoding.check_type(content_type);
            assert_eq!(checked.is_ok(), fits, "{content_type}: {checked:?}");
        }
    }

    proptest! {
        #[test]
        fn a_form_is_read_back_as_it_was_filled(name in ".{1,8}", secret in ".{0,30}") {
            let template = json!({ name.replace('$', ""): "$password" });
            let body: BodyTemplate = serde_json::from_value(template).unwrap();
            let password = Secret::new(secret.clone());
            let variables = Variables { password: Some(&password), ..Variables::default() };
            let bytes = Encoding::Form.fill(&body, &variables, None).expect("a text");
            prop_assert!(bytes.capacity() <= bytes.len().max(8), "no copy was left behind");
            let read: Vec<_> = form_urlencoded::parse(&bytes).into_owned().collect();
            prop_assert_eq!(read, vec![(name.replace('$', ""), secret)]);
        }
    }
}
