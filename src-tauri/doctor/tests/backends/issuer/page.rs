//! The page at which people sign in, as requests from outside find it.

use serde_json::json;
use vestibule_backend::{Effect, Fault};
use vestibule_doctor::Holds;
use vestibule_harness::answer;

use super::{PAGE, plan, profile, rows, strict, with_fault};
use crate::support::{Clerk, examined};

#[tokio::test(flavor = "multi_thread")]
async fn each_fault_of_the_page_is_one_row() {
    let refused = |words: &str| answer(400, json!({"error": words}), &[]);
    let elsewhere = Effect::Redirect {
        location: "https://vestibule-doctor.invalid/callback?code=c".into(),
        status: 302,
    };
    // The app's request, another port, a foreign redirect, without PKCE, response_type=token.
    for (row, number, effect, said) in [
        ("client", 0, refused("invalid_client"), "browser.client_id"),
        ("client", 0, answer(404, json!({}), &[]), "the page"),
        ("loopback", 0, refused("Redirect URI mismatch"), "any port"),
        (
            "loopback",
            1,
            refused("redirect_uri is not registered"),
            "browser.ports",
        ),
        ("foreign_redirect", 2, elsewhere, "not registered"),
        ("pkce_demanded", 3, Effect::Html { status: 200 }, "PKCE"),
        ("implicit", 4, Effect::Html { status: 200 }, "implicit"),
    ] {
        let fault = move |_: &str| Fault::on("GET", PAGE, effect.clone()).skip(number).times(1);
        let advice = with_fault(row, fault).await;
        assert!(advice.contains(said), "{row}: {advice}");
    }
    let backend = strict().await;
    let mut unknown = plan(&backend.url());
    unknown.profile = profile(&backend.url(), json!({"client_id": "nobody"}));
    unknown.browser = false;
    let report = examined(&unknown, Clerk::at(&backend)).await;
    assert_eq!(rows(&report, Holds::No), ["client"], "{report:#?}");
}

/// A page that cannot be read is not judged.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_page_does_not_say_is_not_tried() {
    for effect in [
        Effect::Html { status: 200 },
        answer(400, json!({"message": "something is wrong"}), &[]),
        Effect::status(429),
        Effect::status(503),
        Effect::Drop {
            cut: Default::default(),
        },
    ] {
        let backend = strict().await;
        backend.faults().add(Fault::on("GET", PAGE, effect.clone()));
        let mut plan = plan(&backend.url());
        plan.browser = false;
        let report = examined(&plan, Clerk::at(&backend)).await;
        for id in [
            "client",
            "loopback",
            "foreign_redirect",
            "pkce_demanded",
            "implicit",
        ] {
            let row = report.row(id);
            assert_eq!(row.holds, Holds::NotTried, "{effect:?}: {row:#?}");
            assert!(!row.got.is_empty(), "{row:#?}");
        }
    }
}
