//! The content security policy on every screen.

use vestibule_acceptance::{Role, scenario, tour};

/// Normal use causes no violation of the policy and no uncaught error.
#[test]
fn no_screen_violates_the_content_security_policy() {
    scenario(async |stage| {
        let mut screens = 0;
        tour::walk(stage, async |app, screen| {
            screens += 1;
            let record = app.record().await;
            let violations: Vec<_> = record.violations().collect();
            assert!(violations.is_empty(), "at {screen}: {violations:?}");
            let errors: Vec<_> = record.pages().flat_map(|page| &page.errors).collect();
            assert!(errors.is_empty(), "at {screen}: {errors:?}");
        })
        .await;
        assert!(screens >= 20, "the walk visits every screen");
    });
}

/// The control: the recorder notices violations, and the policy blocks what it should.
#[test]
fn what_the_policy_forbids_is_stopped_and_recorded() {
    scenario(async |stage| {
        let app = stage.start().await;
        app.find(Role::Link, "Sign in").await;
        let ran = app
            .run_async(
                "window.ran = [];
                 const inline = document.createElement('script');
                 inline.textContent = 'window.ran.push(\"inline\")';
                 document.body.append(inline);
                 const image = new Image();
                 image.setAttribute('onerror', 'window.ran.push(\"onerror\")');
                 image.src = 'https://evil.example/beacon.png';
                 document.body.append(image);
                 const eager = document.createElement('script');
                 eager.src = 'https://evil.example/x.js';
                 document.body.append(eager);
                 const { backend } = argument;
                 await fetch(`${backend}/plans`).then(
                   () => window.ran.push('fetch'), () => undefined);
                 const request = new XMLHttpRequest();
                 request.onload = () => window.ran.push('request');
                 request.open('GET', `${backend}/plans`);
                 request.send();
                 const heard = () => window.vestibuleRecord.at(-1).violations
                   .map(({ directive }) => directive);
                 const wanted = ['script-src', 'img-src', 'connect-src'];
                 const look = () => {
                   const missing = wanted.filter(
                     (name) => !heard().some((directive) => directive.startsWith(name)));
                   if (missing.length === 0 || performance.now() > until)
                     return done({ ran: window.ran, missing });
                   setTimeout(look, 20);
                 };
                 const until = performance.now() + 15000;
                 look();",
                serde_json::json!({ "backend": stage.backend.url() }),
            )
            .await;
        assert_eq!(
            ran,
            serde_json::json!({ "ran": [], "missing": [] }),
            "no code ran, and each violation was recorded"
        );
        assert_eq!(stage.backend.requests("GET", "/plans"), 0);
    });
}
