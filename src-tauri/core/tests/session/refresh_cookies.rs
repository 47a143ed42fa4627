//! 'Refresh, at the edges': the cookie replaced, kept, repeated or deleted, and contradictory
//! lifetimes.

use vestibule_backend::{Config, Effect, Fault};
use vestibule_core::ErrorCode;
use vestibule_core::wire::{Phase, SignedOutReason};
use vestibule_harness::*;

#[tokio::test(flavor = "multi_thread")]
async fn a_new_cookie_replaces_the_old_one() {
    let harness = Harness::signed_in().await;
    let first = harness.kept().expect("kept at sign-in");
    harness.session.refresh().await.expect("refreshed");
    let second = harness.kept().expect("kept");
    assert_ne!(first, second, "rotated");
    let generation = |harness: &Harness| harness.item().expect("an item")["generation"].as_u64();
    let before = generation(&harness);
    harness.session.refresh().await.expect("refreshed again");
    let sent = harness
        .backend
        .last_request("POST", REFRESH)
        .expect("a refresh");
    assert_eq!(
        sent.cookie(COOKIE),
        Some(second.as_str()),
        "the newest cookie is sent"
    );
    assert!(generation(&harness) > before, "the generation grows");
    assert_eq!(harness.refreshes(), 2, "one each");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_cookie_means_keep_the_old_one() {
    let harness = Harness::signed_in().await;
    let before = harness.kept().expect("kept at sign-in");
    harness.strike(REFRESH, answer(200, success(), &[]));
    harness
        .session
        .refresh()
        .await
        .expect("a success without a cookie");
    assert!(is_fresh(&harness.state()), "renewed");
    assert_eq!(
        harness.kept().as_ref(),
        Some(&before),
        "the old token stays"
    );
    harness.session.refresh().await.expect("refreshed");
    let sent = harness
        .backend
        .last_request("POST", REFRESH)
        .expect("a refresh");
    assert_eq!(
        sent.cookie(COOKIE),
        Some(before.as_str()),
        "the old token is sent"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn two_identical_tokens_in_a_row_are_two_rotations() {
    let harness = Harness::signed_in().await;
    let before = harness.kept().expect("kept at sign-in");
    for attributes in ["Path=/; Max-Age=900", "Path=/"] {
        let cookie = format!("{COOKIE}={before}; {attributes}");
        for _ in 0..2 {
            harness.strike(REFRESH, answer(200, success(), &[("set-cookie", &cookie)]));
            harness
                .session
                .refresh()
                .await
                .expect("the same token again is fine");
            assert_eq!(harness.kept().as_ref(), Some(&before), "kept");
            assert!(is_fresh(&harness.state()), "fresh");
        }
    }
    harness
        .session
        .refresh()
        .await
        .expect("the token still works");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_cookie_ends_the_session() {
    for value in [
        "=; Path=/; Max-Age=0",
        "=gone; Path=/; Max-Age=0",
        "=gone; Path=/; Max-Age=-1",
        "=gone; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        "=; Path=/; Max-Age=604800",
        "=\"\"; Path=/; Max-Age=604800",
    ] {
        let mut harness = Harness::signed_in().await;
        let line = format!("{COOKIE}{value}");
        harness.strike(REFRESH, answer(200, success(), &[("set-cookie", &line)]));
        let result = harness.session.refresh().await;
        assert_eq!(code(&result), Some(ErrorCode::SessionEnded), "{line}");
        assert_eq!(
            why(&harness.state()),
            Some(SignedOutReason::Expired),
            "{line}"
        );
        assert_eq!(harness.item(), None, "{line}: the keyring holds no item");
        harness.restart();
        harness.until_signed_out().await;
        assert_eq!(harness.refreshes(), 1, "{line}: nothing left to send");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_in_an_answer_that_is_no_success_deletes_nothing() {
    for effect in [
        answer(
            503,
            success(),
            &[("set-cookie", "__refresh_token=; Max-Age=0; Path=/")],
        ),
        answer(
            302,
            success(),
            &[("set-cookie", "__refresh_token=; Max-Age=0; Path=/")],
        ),
    ] {
        let harness = Harness::signed_in().await;
        let before = harness.kept();
        harness.strike(REFRESH, effect);
        harness.session.refresh().await.expect_err("no success");
        assert!(is_stale(&harness.state()), "kept, marked stale");
        assert_eq!(harness.kept(), before, "the token stays");
        harness.until_fresh().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expiry_counts_by_the_backends_clock_not_ours() {
    // The client's clock is ten years ahead of a backend that dates its cookies: an expiry in the
    // past here is in the future there.
    let harness = Harness::signed_in().await;
    harness.strike(
        REFRESH,
        answer(
            200,
            success(),
            &[
                ("date", "Tue, 01 Mar 2016 10:00:00 GMT"),
                (
                    "set-cookie",
                    "__refresh_token=dated; Path=/; Expires=Wed, 30 Mar 2016 10:00:00 GMT",
                ),
            ],
        ),
    );
    harness.session.refresh().await.expect("a success");
    assert_eq!(
        harness.kept().as_deref(),
        Some("dated"),
        "the new token is used"
    );
    assert!(is_fresh(&harness.state()), "the session is valid");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cookie_for_another_domain_is_not_taken() {
    let harness = Harness::signed_in().await;
    let before = harness.kept();
    let line = "__refresh_token=planted; Path=/; Domain=evil.example";
    harness.strike(REFRESH, answer(200, success(), &[("set-cookie", line)]));
    harness.session.refresh().await.expect("a success");
    assert_eq!(harness.kept(), before, "the old token stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_life_from_receipt_counts_and_not_a_date_by_a_wrong_clock() {
    for seconds in [-10 * 365 * 86_400, -3600, 3600, 10 * 365 * 86_400] {
        let harness = Harness::new().await;
        for path in ["/login", REFRESH] {
            let skew = Effect::WrongClock { seconds };
            harness.backend.faults().add(Fault::on("POST", path, skew));
        }
        harness.sign_in(DEMO).await;
        harness.session.refresh().await.expect("refreshed");
        let reply = harness.get("/me").await.expect("a call");
        assert_eq!(reply.status, 200, "{seconds}: the token is used");
        assert!(is_fresh(&harness.state()), "{seconds}: fresh");
        assert_eq!(
            harness.refreshes(),
            1,
            "{seconds}: the token does not count as expired"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sessions_end_is_the_refresh_cookies_and_its_id_stays() {
    let config = Config {
        refresh_ttl: std::time::Duration::from_secs(30 * 86_400),
        ..Config::default()
    };
    let harness = Harness::signed_in_with(config).await;
    let info = |harness: &Harness| match harness.state().phase {
        Phase::SignedIn { session, .. } => session,
        other => panic!("signed in: {other:?}"),
    };
    let first = info(&harness);
    let end = first.expires_at.clone().expect("the cookie has a Max-Age");
    let end = time_of(&end);
    let wanted = std::time::SystemTime::now() + std::time::Duration::from_secs(30 * 86_400);
    let off = wanted
        .duration_since(end)
        .unwrap_or_else(|error| error.duration());
    assert!(off.as_secs() < 60, "thirty days from now, off by {off:?}");
    harness.session.refresh().await.expect("refreshed");
    assert_eq!(info(&harness).id, first.id, "the same session");
}

fn time_of(iso: &str) -> std::time::SystemTime {
    let format = &time::format_description::well_known::Rfc3339;
    time::OffsetDateTime::parse(iso, format)
        .expect("ISO 8601")
        .into()
}
