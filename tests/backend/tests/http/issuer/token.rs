//! The exchange of a code, and what becomes of the tokens that it brings.

use crate::support::{DEMO, Device, start};

use super::{Browser, assert_error, exchange, me, refresh, text, token};

#[tokio::test]
async fn a_code_is_exchanged_once_by_whom_it_belongs_to() {
    let backend = start().await;
    let browser = Browser::new(&backend);
    let code = browser.code().await;
    let other = "another-verifier-that-is-long-enough-for-the-rules-98765";
    for change in [
        ("code_verifier", other),
        ("redirect_uri", "http://127.0.0.1:49153/callback"),
        ("client_id", "another-app"),
        ("code", "0123456789abcdef"),
    ] {
        let refused = exchange(&backend, &code, &[change]).await;
        assert_error(&refused, 400, "invalid_grant");
    }
    let short = exchange(&backend, &code, &[("code_verifier", "short")]).await;
    assert_error(&short, 400, "invalid_request");
    let secret = exchange(&backend, &code, &[("client_secret", "x")]).await;
    assert_error(&secret, 400, "invalid_client");
    assert_eq!(
        backend.sessions(DEMO).len(),
        0,
        "none of these began a session"
    );
    let tokens = exchange(&backend, &code, &[]).await;
    assert_eq!(tokens.status, 200, "a wrong try costs the owner nothing");
    assert_error(&exchange(&backend, &code, &[]).await, 400, "invalid_grant");
    assert_eq!(
        me(&backend, &text(&tokens, "access_token")).await,
        401,
        "a thief had the code too"
    );
}

#[tokio::test]
async fn revoking_either_token_ends_the_session() {
    let backend = start().await;
    for kind in ["refresh_token", "access_token"] {
        let browser = Browser::new(&backend);
        let tokens = exchange(&backend, &browser.code().await, &[]).await;
        let token = text(&tokens, kind);
        let revoke = async |client: &str, token: &str| {
            let form = [
                ("client_id", client.to_owned()),
                ("token", token.to_owned()),
            ];
            browser.post("/oidc/revoke", &form).await.status
        };
        let access = text(&tokens, "access_token");
        assert_eq!(revoke("another-app", &token).await, 200);
        assert_eq!(revoke("vestibule", "not-a-token").await, 200);
        assert_eq!(me(&backend, &access).await, 200, "not by another client");
        assert_eq!(revoke("vestibule", &token).await, 200);
        assert_eq!(me(&backend, &access).await, 401);
        let after = refresh(&backend, &text(&tokens, "refresh_token")).await;
        assert_error(&after, 400, "invalid_grant");
    }
}

#[tokio::test]
async fn tokens_of_other_roads_are_left_alone() {
    let backend = start().await;
    let mut device = Device::new(&backend);
    let by_password = device.sign_in().await.refresh_token();
    let refused = refresh(&backend, &by_password).await;
    assert_error(&refused, 400, "invalid_grant");
    assert_eq!(backend.sessions(DEMO)[0].tokens, 1, "nothing was rotated");
    let plain = exchange(&backend, &Browser::new(&backend).code().await, &[]).await;
    let of_vestibule = text(&plain, "refresh_token");
    let form = [
        ("client_id", "another-app"),
        ("grant_type", "refresh_token"),
        ("refresh_token", &of_vestibule),
    ];
    assert_error(&token(&backend, &form).await, 400, "invalid_grant");
    assert_eq!(refresh(&backend, &of_vestibule).await.status, 200);
}
