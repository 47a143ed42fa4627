//! Whose session it is, where two people sign in one after the other by the browser.

use vestibule_harness::{ADMIN, DEMO, owner};

use super::App;

#[tokio::test(flavor = "multi_thread")]
async fn who_is_shown_owns_the_token() {
    let mut app = App::new().await;
    for person in [DEMO, ADMIN, DEMO] {
        app.sign_in(person).await;
        assert_eq!(app.email().as_deref(), Some(person));
        assert_eq!(owner(&app.install.session).await.as_deref(), Some(person));
        app.install.restart();
        assert_eq!(app.install.settle(person).await.as_deref(), Ok(person));
    }
}
