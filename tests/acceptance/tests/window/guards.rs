//! Pages for signed-in users only, and pages for signed-out users only.

use vestibule_acceptance::{DEMO, DEMO_NAME, Role, containing, scenario};

use crate::{enter, signed_in};

#[test]
fn a_guarded_page_sends_to_sign_in_and_back() {
    scenario(async |stage| {
        let app = stage.start_at("/account/").await;
        let next = app.arrives("/auth/login/").await;
        assert_eq!(next.as_deref(), Some("/account/"));
        enter(&app, DEMO).await;
        app.arrives("/account/").await;
        app.find(Role::Heading, "Account").await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        app.reads("This session").await;
    });
}

#[test]
fn the_way_back_survives_a_detour_over_registration() {
    scenario(async |stage| {
        let app = stage.start_at("/account/").await;
        app.arrives("/auth/login/").await;
        app.click(Role::Link, "Create an account").await;
        app.arrives("/auth/register/").await;
        app.fill("Name", "Noor New").await;
        app.fill("E-mail", "noor@vestibule.test").await;
        app.fill("Password", "a few words work well").await;
        app.click(Role::Button, "Create account").await;
        app.arrives("/account/").await;
    });
}

#[test]
fn the_signed_in_are_led_past_the_sign_in_screens() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        for path in [
            "/auth/login/",
            "/auth/register/",
            "/auth/otp/",
            "/auth/browser/",
        ] {
            app.open(path).await;
            app.arrives("/dashboard/").await;
        }
        app.open("/auth/login/?next=%2Fpayment%2F%3Fplan%3Dteam")
            .await;
        app.arrives("/payment/").await;
    });
}

#[test]
fn a_way_back_never_leads_out_of_the_app() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        for next in [
            "https%3A%2F%2Fevil.example%2F",
            "%2F%2Fevil.example%2F",
            "javascript%3Aalert(1)",
            "%2F%5Cevil.example",
            "%2Fauth%2Flogin%2F",
        ] {
            app.open(&format!("/auth/login/?next={next}")).await;
            app.arrives("/dashboard/").await;
        }
    });
}

#[test]
fn an_address_that_does_not_exist_says_so() {
    scenario(async |stage| {
        let app = stage.start_at("/no/such/page/").await;
        app.find(Role::Heading, "There is no such page").await;
        app.click(Role::Link, "Go to the start page").await;
        app.arrives("/").await;
    });
}
