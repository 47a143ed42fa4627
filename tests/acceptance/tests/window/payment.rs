//! `/payment`: the plan for everyone, the purchase for signed-in users.

use vestibule_acceptance::{DEMO, Role, scenario};

use crate::enter;

#[test]
fn a_plan_is_shown_to_all_and_sold_to_the_signed_in() {
    scenario(async |stage| {
        let app = stage.start().await;
        app.click(Role::Link, "Plans").await;
        app.arrives("/payment/").await;
        app.click(Role::Link, "Choose Team").await;
        app.find(Role::Heading, "The Team plan").await;
        assert_eq!(app.address().await, "/payment/?plan=team");
        app.reads("29").await;
        app.reads("Five workspaces").await;
        assert!(!app.shows(Role::Button, "Buy Team").await, "not yet");

        app.click(Role::Link, "Sign in to buy").await;
        let next = app.arrives("/auth/login/").await;
        assert_eq!(next.as_deref(), Some("/payment/?plan=team"));
        enter(&app, DEMO).await;
        app.arrives("/payment/").await;
        app.click(Role::Button, "Buy Team").await;
        app.find(Role::Heading, "Team is yours").await;
        assert_eq!(stage.backend.requests("POST", "/plans/team/purchase"), 1);
        let sent = stage.backend.last_request("POST", "/plans/team/purchase");
        let sent = sent.expect("it was recorded");
        let bearer = sent.header("authorization").unwrap_or_default();
        assert!(
            bearer.starts_with("Bearer "),
            "the purchase carries an access token"
        );
        app.click(Role::Link, "Go to your dashboard").await;
        app.arrives("/dashboard/").await;
        app.reads("Bought since the app was started").await;
    });
}

#[test]
fn a_plan_that_does_not_exist_leads_to_those_that_do() {
    scenario(async |stage| {
        let app = stage.start_at("/payment/?plan=nosuch").await;
        app.says("There is no such plan").await;
        app.find(Role::Link, "Choose Starter").await;
    });
}

#[test]
fn a_purchase_that_fails_says_that_nothing_was_bought() {
    scenario(async |stage| {
        let app = stage.start_at("/payment/?plan=starter").await;
        app.click(Role::Link, "Sign in to buy").await;
        enter(&app, DEMO).await;
        app.find(Role::Button, "Buy Starter").await;
        stage.backend.down().await;
        app.click(Role::Button, "Buy Starter").await;
        app.says("Nothing was bought").await;
        stage.backend.up().await.expect("the same port");
        app.click(Role::Button, "Buy Starter").await;
        app.find(Role::Heading, "Starter is yours").await;
    });
}
