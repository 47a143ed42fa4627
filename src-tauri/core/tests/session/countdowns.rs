//! Countdowns use elapsed time, since the machine's clock may be set meanwhile.

use std::time::Duration;

use vestibule_core::testing::Clock as _;
use vestibule_core::wire::Phase;
use vestibule_harness::*;

const YEAR: Duration = Duration::from_secs(365 * 86_400);
/// Forward and back, by minutes and by years.
const SHIFTS: [(bool, Duration); 4] = [
    (false, Duration::from_secs(600)),
    (true, Duration::from_secs(600)),
    (false, YEAR),
    (true, YEAR),
];

fn set_clock(harness: &Harness, (ahead, by): (bool, Duration)) {
    let wall = harness.clock.wall();
    harness
        .clock
        .set_wall(if ahead { wall + by } else { wall - by });
}

fn resend_in(harness: &Harness) -> Duration {
    match harness.state().phase {
        Phase::OtpPending { challenge } => Duration::from_millis(challenge.resend_in_ms),
        other => panic!("a challenge: {other:?}"),
    }
}

fn retry_in(harness: &Harness) -> Duration {
    let outage = outage(&harness.state()).expect("an outage");
    Duration::from_millis(outage.retry_in_ms.expect("the time until the next refresh"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_to_another_code_is_real_time() {
    for shift in SHIFTS {
        let harness = Harness::new().await;
        harness.session.login(login(OTP)).await.expect("challenged");
        let before = resend_in(&harness);
        assert!(before <= Duration::from_secs(30), "{before:?}");
        set_clock(&harness, shift);
        assert_eq!(resend_in(&harness), before, "{shift:?}: unmoved");
        harness.pass(Duration::from_secs(7));
        let left = before - Duration::from_secs(7);
        assert_eq!(
            resend_in(&harness),
            left,
            "{shift:?}: the countdown goes on"
        );
        harness.pass(Duration::from_secs(100));
        assert_eq!(
            resend_in(&harness),
            Duration::ZERO,
            "{shift:?}: the countdown ends"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_to_the_next_try_is_real_time() {
    for shift in SHIFTS {
        let harness = Harness::signed_in().await;
        let busy = answer(503, serde_json::json!({}), &[("retry-after", "60")]);
        harness.strike(REFRESH, busy);
        harness.session.refresh().await.expect_err("an outage");
        let before = retry_in(&harness);
        assert!(before >= Duration::from_secs(60), "{before:?}");
        set_clock(&harness, shift);
        assert_eq!(retry_in(&harness), before, "{shift:?}: unmoved");
        harness.pass(Duration::from_secs(20));
        let left = before - Duration::from_secs(20);
        assert_eq!(retry_in(&harness), left, "{shift:?}: the countdown goes on");
        assert_eq!(
            harness.refreshes(),
            1,
            "{shift:?}: no refresh before its time"
        );
        // The state has whole milliseconds.
        harness.pass(left + Duration::from_millis(1));
        harness.until("a fresh session", is_fresh).await;
        assert_eq!(harness.refreshes(), 2, "{shift:?}: the refresh at its time");
    }
}

/// Setting the clock while nothing waits neither causes a refresh nor delays one.
#[tokio::test(flavor = "multi_thread")]
async fn the_time_to_the_next_refresh_is_real_time() {
    for shift in SHIFTS {
        let harness = Harness::signed_in().await;
        set_clock(&harness, shift);
        harness.pass(Duration::from_secs(60));
        assert_eq!(harness.get("/me").await.expect("a call").status, 200);
        assert_eq!(harness.refreshes(), 0, "{shift:?}: nothing is due");
        harness.pass(Duration::from_secs(16 * 60));
        harness.reached(REFRESH, 1).await;
        harness.until("a fresh session", is_fresh).await;
    }
}
