//! Reads the user object of an answer, at the places that the profile names.

use serde_json::Value;

use crate::json_value::{is_true, names_in, text_of};
use crate::moment;
use crate::profile::{Pointer, UserFields, first};
use crate::wire::User;

/// The user, if `user` is an object with an id.
pub(crate) fn user(user: &Value, fields: &UserFields) -> Option<User> {
    user.as_object()?;
    let text = |pointers: &[Pointer]| texts(pointers, user).next();
    let id = text(&fields.id)?;
    let email = text(&fields.email).unwrap_or_default();
    let parts: Vec<_> = texts(&fields.name_parts, user).collect();
    let name = text(&fields.name)
        .or_else(|| (!parts.is_empty()).then(|| parts.join(" ")))
        .unwrap_or_else(|| email.clone());
    let roles = match first(&fields.roles, user) {
        Some(Value::Array(roles)) => roles
            .iter()
            .flat_map(|role| roles_of(role, fields))
            .collect(),
        Some(role) => roles_of(role, fields),
        None => Vec::new(),
    };
    Some(User {
        id,
        name,
        email,
        email_verified: first(&fields.email_verified, user).is_some_and(is_verified),
        image: text(&fields.image),
        roles,
    })
}

/// The role names in one value.
fn roles_of(role: &Value, fields: &UserFields) -> Vec<String> {
    names_in(role, fields.roles_separator.as_deref(), &fields.role_name)
}

/// The texts at these places. One of white space alone is none: databases hold it where nobody has typed
/// anything.
fn texts(places: &[Pointer], user: &Value) -> impl Iterator<Item = String> {
    let found = places.iter().filter_map(|place| text_of(place.find(user)?));
    found.filter(|text| !text.trim().is_empty())
}

/// Whether the value is true, or the time of the verification.
fn is_verified(value: &Value) -> bool {
    is_true(value) || moment::epoch_ms(value).is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::profile::Profile;

    #[test]
    fn a_name_is_put_together_and_a_verification_may_be_a_date() {
        let profile = Profile::from_json(json!({
            "user": {
                "name": ["/name"],
                "name_parts": ["/first", "/middle", "/last"],
                "email_verified": ["/confirmed_at"],
            },
        }))
        .unwrap();
        let user = |body: Value| super::user(&body, &profile.user);
        let both = user(json!({"id": "u", "first": "Ada", "middle": null, "last": "L."})).unwrap();
        assert_eq!(both.name, "Ada L.");
        assert!(!both.email_verified);
        let named = user(json!({
            "id": "u", "name": "Countess", "first": "Ada", "confirmed_at": "2026-11-23T05:37:20Z",
        }))
        .unwrap();
        assert_eq!(named.name, "Countess");
        assert!(named.email_verified);
        for (confirmed, is_verified) in [
            (json!(1), true),
            (json!("true"), true),
            (json!("2026-11-23 05:37:20"), true),
            (json!(1_795_411_840), true),
            (json!(0), false),
            (json!("false"), false),
            (json!(""), false),
            (json!({}), false),
        ] {
            let shown = user(json!({"id": "u", "confirmed_at": confirmed})).unwrap();
            assert_eq!(shown.email_verified, is_verified, "{confirmed}");
        }
        assert_eq!(user(json!({"first": "Ada"})), None, "no id, no user");
        assert_eq!(user(json!({"id": " "})), None, "nor one of white space");
        assert_eq!(user(json!(null)), None);
    }

    #[test]
    fn an_empty_text_is_none_and_the_next_place_is_looked_at() {
        let profile = Profile::from_json(json!({
            "user": {"id": ["/id", "/pk"], "name": ["/name", "/login"], "image": ["/image"]},
        }))
        .unwrap();
        let user = json!({"id": "", "pk": 42.0, "name": " ", "login": "ann", "image": "\n"});
        let user = super::user(&user, &profile.user).unwrap();
        assert_eq!((user.id.as_str(), user.name.as_str()), ("42", "ann"));
        assert_eq!(user.image, None);
        let user = json!({"id": 1e3, "name": "\t", "email": "ann@example.com"});
        let user = super::user(&user, &profile.user).unwrap();
        assert_eq!(
            (user.id.as_str(), user.name.as_str()),
            ("1000", "ann@example.com")
        );
    }

    #[test]
    fn roles_are_found_in_texts_and_in_tables() {
        let roles = |user: Value, more: Value| {
            let mut fields = json!({"roles": ["/roles", "/role"]});
            fields
                .as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            let profile = Profile::from_json(json!({"user": fields})).unwrap();
            let body = json!({"id": 1, "roles": user});
            super::user(&body, &profile.user).unwrap().roles
        };
        let comma = || json!({"roles_separator": ","});
        assert_eq!(roles(json!("user, admin,"), comma()), ["user", "admin"]);
        assert_eq!(
            roles(json!(["user,admin", "clerk"]), comma()),
            ["user", "admin", "clerk"]
        );
        assert_eq!(
            roles(json!("admin  user"), json!({"roles_separator": " "})),
            ["admin", "user"]
        );
        assert_eq!(roles(json!("user,admin"), json!({})), ["user,admin"]);
        let names = || json!({"role_name": ["/slug", "/name"]});
        let tables =
            json!([{"id": 1, "name": "admin"}, {"slug": "clerk", "name": "Clerk"}, {}, "user"]);
        assert_eq!(roles(tables, names()), ["admin", "clerk", "user"]);
        assert_eq!(
            roles(json!({"name": "admin"}), names()),
            ["admin"],
            "one table"
        );
        assert!(roles(json!([{"name": "admin"}]), json!({})).is_empty());
        assert_eq!(roles(json!([7, null, true]), json!({})), ["7"]);
    }
}
