//! What is refused in the section `browser` of a profile, and what is enough.

use serde_json::json;

use super::*;

/// The browser section over a backend that has a password too.
fn browser(section: serde_json::Value) -> Result<Profile, ProfileError> {
    Profile::from_json(json!({ "browser": section }))
}

#[test]
fn a_section_browser_is_enough_to_sign_in_and_no_more() {
    let oidc = json!({"kind": "oidc", "issuer": "https://id.example", "client_id": "app"});
    assert!(browser(oidc.clone()).is_ok());
    let alone = json!({"extends": "nothing", "backend": "https://a.example", "browser": oidc});
    assert!(
        Profile::from_json(alone).is_ok(),
        "no password and no cookie is needed beside it"
    );
    let github = json!({
        "kind": "oauth2", "client_id": "app", "authorize": "https://id.example/authorize?x=1",
        "token": "https://id.example/token", "userinfo": "https://api.id.example/user",
    });
    assert!(browser(github).is_ok());
    let button = json!({"name": "a", "parameters": {"provider": "a"}});
    for section in [
        json!({"kind": "better-auth", "page": "https://a.example/sign-in"}),
        json!({"kind": "better-auth", "parameters": {"provider": "a"}}),
        json!({"kind": "better-auth", "buttons": [button]}),
    ] {
        assert!(browser(section.clone()).is_ok(), "{section}");
    }
    let with = |more: serde_json::Value| {
        let mut section = oidc.clone();
        section
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        browser(section)
    };
    for (more, key) in [
        (json!({"issuer": null}), "browser.issuer"),
        (json!({"issuer": "http://id.example"}), "browser.issuer"),
        (
            json!({"issuer": "https://a:b@id.example"}),
            "browser.issuer",
        ),
        (json!({"client_id": ""}), "browser.client_id"),
        (json!({"client_id": "my app"}), "browser.client_id"),
        (json!({"client_secret": "hunter2"}), "browser.client_secret"),
        (
            json!({"client_secret_is_public": true}),
            "browser.client_secret_is_public",
        ),
        (
            json!({"token": "https://id.example/token"}),
            "browser.token",
        ),
        (json!({"page": "https://id.example/"}), "browser.page"),
        (json!({"base": "/api/auth"}), "browser.base"),
        (json!({"scopes": ["email"]}), "browser.scopes"),
        (json!({"scopes": ["openid email"]}), "browser.scopes"),
        (
            json!({"parameters": {"redirect_uri": "x"}}),
            "browser.parameters.redirect_uri",
        ),
        (
            json!({"parameters": {"state": "x"}}),
            "browser.parameters.state",
        ),
        (json!({"ports": [80]}), "browser.ports[0]"),
        (
            json!({"ports": [4000], "redirect": "scheme"}),
            "browser.ports",
        ),
        (
            json!({"buttons": [{"name": ""}]}),
            "browser.buttons[0].name",
        ),
        (
            json!({"buttons": [{"name": "a"}, {"name": "a"}]}),
            "browser.buttons[1].name",
        ),
        (
            json!({"buttons": [{"name": "a", "label": " "}]}),
            "browser.buttons[0].label",
        ),
        (
            json!({"buttons": [{"name": "a", "icon": "https://a.example/a.png"}]}),
            "browser.buttons[0].icon",
        ),
        (
            json!({"buttons": [{"name": "a", "parameters": {"code_challenge": "x"}}]}),
            "browser.buttons[0].parameters.code_challenge",
        ),
        (json!({"kind": "oauth2"}), "browser.issuer"),
        (json!({"kind": "saml"}), "browser.kind"),
        (json!({"isuer": "x"}), "browser.isuer"),
    ] {
        let error = with(more.clone()).expect_err(&more.to_string());
        assert_eq!(error.key, key, "{more}: {error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    assert!(with(json!({"client_secret": "x", "client_secret_is_public": true})).is_ok());
    for (section, key) in [
        (
            json!({"kind": "oauth2", "client_id": "app"}),
            "browser.authorize",
        ),
        (
            json!({"kind": "better-auth", "client_id": "app", "redirect": "loopback"}),
            "browser.redirect",
        ),
        (
            json!({"kind": "better-auth", "client_id": "app", "device": true}),
            "browser.device",
        ),
        (
            json!({"kind": "better-auth", "client_id": "app", "end_session": true}),
            "browser.end_session",
        ),
        (
            json!({"kind": "better-auth", "client_id": "app"}),
            "browser.page",
        ),
        (
            json!({"kind": "better-auth", "buttons": [
                {"name": "a", "parameters": {"provider": "a"}},
                {"name": "b"},
            ]}),
            "browser.page",
        ),
    ] {
        assert_eq!(
            browser(section.clone()).expect_err("refused").key,
            key,
            "{section}"
        );
    }
}
