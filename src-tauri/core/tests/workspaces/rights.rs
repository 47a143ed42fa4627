//! What roles allow in a workspace that a person has added: what the app's section says of added
//! workspaces, whatever their backend calls its users.

use serde_json::{Value, json};
use vestibule_backend::Config;
use vestibule_core::ErrorCode;
use vestibule_harness::*;

use crate::{look, open, profile_of};

const SEE: &str = "people.see";
const EXPORT: &str = "people.export";

/// An administrator of a backend that was added to an app with this section.
async fn admin_of_added(more: Value) -> (Installation, std::sync::Arc<vestibule_backend::Backend>) {
    let backend = start_backend(Config::default()).await;
    let folder = tempfile::tempdir().expect("a folder");
    let workspaces = open(more, folder.path());
    let found = look(&workspaces, &backend.url()).await.expect("an address");
    let id = workspaces.add(&found.address).expect("it fits");
    let section = workspaces.section_of(&id).expect("it was added");
    let installation = Installation::new(profile_of(&section)).await;
    installation.sign_in(ADMIN).await;
    let state = installation.state();
    let roles = &user(&state).expect("signed in").roles;
    assert!(
        roles.contains(&"admin".to_owned()),
        "the backend says so: {roles:?}"
    );
    (installation, backend)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_an_added_backend_names_allows_nothing() {
    let (admin, backend) = admin_of_added(json!({})).await;
    assert!(admin.state().may.is_empty(), "{:?}", admin.state());
    for right in [SEE, EXPORT] {
        let refused = admin.session.require_right(right).await;
        assert_eq!(code(&refused), Some(ErrorCode::NotAllowed), "{right}");
    }
    // Nor does one that it names later.
    assert!(backend.set_roles(ADMIN, &["admin", "owner", SEE, "people.*", ""]));
    admin.session.refresh().await.expect("refreshed");
    assert!(admin.state().may.is_empty(), "{:?}", admin.state());
}

#[tokio::test(flavor = "multi_thread")]
async fn at_home_the_same_role_opens_what_it_should() {
    let backend = start_backend(Config::default()).await;
    let section = crate::section(json!({"backend": backend.url()}));
    let admin = Installation::new(profile_of(&section)).await;
    admin.sign_in(ADMIN).await;
    assert_eq!(admin.state().may, [EXPORT, SEE]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_of_added_workspaces_allows_what_the_section_says_of_them() {
    let more = json!({"workspaces": {"roles": {"admin": [SEE]}}});
    let (admin, _backend) = admin_of_added(more).await;
    assert_eq!(admin.state().may, [SEE]);
    assert_eq!(admin.session.require_right(SEE).await, Ok(()));
    let refused = admin.session.require_right(EXPORT).await;
    assert_eq!(code(&refused), Some(ErrorCode::NotAllowed));
}
