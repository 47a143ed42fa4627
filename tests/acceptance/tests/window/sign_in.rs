//! Signing in by password, by code and with a new account; signing out.

use vestibule_acceptance::{DEMO, DEMO_NAME, OTP, OTP_NAME, Role, TOTP, containing, scenario};

use crate::{enter, pick, signed_in};

#[test]
fn a_password_becomes_a_name_in_the_header() {
    scenario(async |stage| {
        let app = stage.start().await;
        app.click(Role::Link, "Sign in").await;
        app.arrives("/auth/login/").await;
        enter(&app, DEMO).await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
        app.arrives("/dashboard/").await;
        app.reads(DEMO).await;
        assert_eq!(stage.backend.requests("POST", "/login"), 1);
    });
}

#[test]
fn a_wrong_password_keeps_the_email_clears_the_password_and_says_why() {
    scenario(async |stage| {
        let app = stage.start_at("/auth/login/").await;
        app.fill("E-mail", DEMO).await;
        app.fill("Password", "not the password").await;
        app.click(Role::Button, "Sign in").await;
        app.says("do not match").await;
        assert_eq!(app.value("E-mail").await, DEMO, "the e-mail stays");
        assert_eq!(app.value("Password").await, "", "the password is cleared");
        assert_eq!(app.address().await, "/auth/login/");
        // The right password works after it.
        enter(&app, DEMO).await;
        app.find(Role::Button, containing(DEMO_NAME)).await;
    });
}

#[test]
fn a_form_that_is_not_filled_in_asks_for_what_is_missing() {
    scenario(async |stage| {
        let app = stage.start_at("/auth/login/").await;
        app.click(Role::Button, "Sign in").await;
        app.reads("Enter your e-mail address.").await;
        app.reads("Enter your password.").await;
        assert_eq!(
            stage.backend.requests("POST", "/login"),
            0,
            "no request is sent"
        );
    });
}

#[test]
fn an_account_with_a_code_takes_the_right_one_after_a_wrong_one() {
    scenario(async |stage| {
        let app = stage.start_at("/auth/login/").await;
        enter(&app, OTP).await;
        app.arrives("/auth/otp/").await;
        let address = app.address().await;
        assert!(!address.contains(OTP), "no e-mail in the address {address}");
        app.reads(OTP).await;
        let code = stage.backend.last_code(OTP).expect("a code was mailed");
        let wrong = if code == "000000" { "111111" } else { "000000" };
        app.fill("Six-digit code", wrong).await;
        app.says("That code is not right").await;
        assert_eq!(
            app.value("Six-digit code").await,
            "",
            "the field is cleared"
        );
        assert_eq!(
            app.address().await,
            address,
            "the page still asks for a code"
        );
        app.fill("Six-digit code", &code).await;
        app.arrives("/dashboard/").await;
        app.find(Role::Button, containing(OTP_NAME)).await;
    });
}

#[test]
fn a_second_factor_is_given_by_the_way_that_the_user_chooses() {
    scenario(async |stage| {
        let app = stage.start_at("/auth/login/").await;
        enter(&app, TOTP).await;
        app.arrives("/auth/otp/").await;
        app.reads("from your authenticator app").await;
        let sent = || stage.backend.requests("POST", "/resend-otp");
        assert_eq!(sent(), 0, "no code is sent for an app");
        app.click(Role::Button, "Use a recovery code").await;
        app.fill("Recovery code", "00000-00000").await;
        app.click(Role::Button, "Continue").await;
        app.says("That recovery code is not right").await;
        app.click(Role::Button, "Send me a code").await;
        app.reads("We sent six digits").await;
        assert_eq!(sent(), 1);
        let code = stage.backend.last_mailed_code(TOTP).expect("a mail");
        app.fill("Six-digit code", &code).await;
        app.arrives("/dashboard/").await;
    });
}

#[test]
fn a_challenge_can_be_given_up_and_leaves_nobody_signed_in() {
    scenario(async |stage| {
        let app = stage.start_at("/auth/login/").await;
        enter(&app, OTP).await;
        app.arrives("/auth/otp/").await;
        app.click(Role::Button, containing("Cancel")).await;
        app.arrives("/auth/login/").await;
        app.open("/dashboard/").await;
        app.arrives("/auth/login/").await;
    });
}

#[test]
fn a_new_account_is_signed_in_at_once() {
    scenario(async |stage| {
        let app = stage.start_at("/auth/login/").await;
        app.click(Role::Link, "Create an account").await;
        app.arrives("/auth/register/").await;
        app.fill("Name", "Noor New").await;
        app.fill("E-mail", "noor@vestibule.test").await;
        app.fill("Password", "a few words work well").await;
        app.click(Role::Button, "Create account").await;
        app.arrives("/dashboard/").await;
        app.find(Role::Button, containing("Noor New")).await;
    });
}

#[test]
fn an_email_that_is_taken_is_said_and_nothing_typed_is_lost() {
    scenario(async |stage| {
        let app = stage.start_at("/auth/register/").await;
        app.fill("Name", "Second Dana").await;
        app.fill("E-mail", DEMO).await;
        app.fill("Password", "a few words work well").await;
        app.click(Role::Button, "Create account").await;
        app.says("already an account with this address").await;
        assert_eq!(app.value("Name").await, "Second Dana");
        assert_eq!(app.value("E-mail").await, DEMO);
    });
}

#[test]
fn signing_out_ends_it_here_and_at_the_backend() {
    scenario(async |stage| {
        let app = signed_in(stage, DEMO, DEMO_NAME).await;
        pick(&app, DEMO_NAME, "Sign out").await;
        app.arrives("/auth/login/").await;
        app.says("You are signed out").await;
        app.find(Role::Link, "Sign in").await;
        assert!(!app.shows(Role::Button, containing(DEMO_NAME)).await);
        stage.backend.reached("POST", "/logout", 1).await;
        app.kill();
        let app = stage.start().await;
        app.find(Role::Link, "Sign in").await;
        assert_eq!(
            stage.backend.requests("POST", "/refresh-token"),
            0,
            "nothing is left to refresh"
        );
    });
}
