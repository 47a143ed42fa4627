//! The window while the backend cannot be reached.

use vestibule_acceptance::{DEMO, DEMO_NAME, Role, containing, scenario};
use vestibule_backend::{Effect, Fault};

use crate::{pick, signed_in};

#[test]
fn down_at_start_one_stays_signed_in_marked_offline_and_is_fresh_when_it_returns() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        app.kill();
        stage.backend.down().await;
        let app = stage.start().await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        app.says("Offline since").await;
        app.open("/dashboard/").await;
        app.says("You stay signed in").await;
        app.reads("No answer since").await;
        assert_eq!(app.record().await.latest().way_in(), Vec::<String>::new());
        stage.backend.up().await.expect("the same port");
        app.reads("Confirmed").await;
        app.says("You are back online").await;
        assert!(!app.text().await.contains("Offline since"));
        app.find(Role::Button, containing(DEMO_NAME)).await;
    });
}

#[test]
fn a_slow_backend_does_not_hold_the_window_up() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        app.kill();
        let hang = Fault::on("POST", "/refresh-token", Effect::Hang {});
        let hang = stage.backend.faults().add(hang);
        let app = stage.start().await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        app.says("Offline since").await;
        assert_eq!(
            stage.backend.faults().fired(hang),
            Some(1),
            "the request still hangs"
        );
    });
}

#[test]
fn an_error_page_in_the_place_of_an_answer_signs_nobody_out() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        app.kill();
        let portal = Fault::on("*", "*", Effect::Html { status: 200 });
        stage.backend.faults().add(portal);
        let app = stage.start().await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        app.says("Offline since").await;
        stage.backend.faults().clear();
        app.says("You are back online").await;
    });
}

#[test]
fn signing_out_works_without_a_backend() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        stage.backend.down().await;
        pick(&app, DEMO_NAME, "Sign out").await;
        app.arrives("/auth/login/").await;
        app.find(Role::Link, "Sign in").await;
        app.kill();
        stage.backend.up().await.expect("the same port");
        let app = stage.start().await;
        app.find(Role::Link, "Sign in").await;
    });
}

#[test]
fn a_sign_in_without_a_backend_says_so_and_loses_nothing() {
    scenario(async |stage| {
        let app = stage.start_at("/auth/login/").await;
        stage.backend.down().await;
        crate::enter(&app, DEMO).await;
        app.says("Nothing answers at the server").await;
        assert_eq!(app.value("E-mail").await, DEMO);
        stage.backend.up().await.expect("the same port");
        app.click(Role::Button, "Sign in").await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
    });
}
