//! Tests of the simulation of a fleet in an outage: its figures follow from the schedule.

use std::time::Duration;

use vestibule_promises::fleet::{self, Asks, Comeback, Outage, Scenario};

fn scenario(asks: Asks, comeback: Comeback) -> Scenario {
    Scenario {
        clients: 2_000,
        life: fleet::LIVES[2],
        outage: Outage::new(asks, comeback),
        impatient_percent: 0,
        seed: 1,
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let asks = Asks::For(Duration::from_secs(60));
    let run = || fleet::run(&scenario(asks, Comeback::Whole));
    assert_eq!(format!("{:?}", run()), format!("{:?}", run()));
}

#[test]
fn what_the_simulation_shows_is_the_schedule() {
    let figures = fleet::run(&scenario(Asks::UntilBack, Comeback::Whole));
    // 10 minutes of the 12 between two refreshes: that part of the fleet was due meanwhile.
    assert!((0.8..0.9).contains(&figures.stale.0), "{}", figures.stale);
    // A client that must wait to the end asks once during the outage, once after it, and then when
    // its next refresh is due: no more than a few times in 40 minutes.
    assert!(figures.requests.1 <= 6, "{:?}", figures.requests);
    // The longest Retry-After is 600 s; jitter adds half of it, seldom all of that.
    assert!(figures.recovered[2] <= Duration::from_secs(300));
    assert!(figures.recovered[0] >= Duration::from_secs(30), "spread");
    assert_eq!((figures.early, figures.lost), (0, 0));
}

#[test]
fn impatience_costs_seconds_a_click() {
    let mut busy = scenario(Asks::Nothing, Comeback::Whole);
    busy.impatient_percent = 100;
    let figures = fleet::run(&busy);
    // 600 s with one click every 5 s, later every 15 s, and the refreshes of the schedule.
    assert!(
        (45..=70).contains(&figures.requests.1),
        "{:?}",
        figures.requests
    );
    assert!(figures.recovered[2] <= Duration::from_secs(15));
    // With a `Retry-After`, clicks wait too.
    busy.outage.asks = Asks::For(Duration::from_secs(120));
    let asked = fleet::run(&busy);
    assert_eq!(asked.early, 0);
    assert!(asked.requests.1 <= 10, "{:?}", asked.requests);
    // With a `Retry-After` to the end of the outage the fleet recovers sooner than without one.
    busy.outage.asks = Asks::UntilBack;
    let told = fleet::run(&busy);
    assert_eq!(told.early, 0);
    assert!(told.recovered[2] <= Duration::from_secs(60));
}

#[test]
fn a_survey_can_be_drawn() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("plots/fleet.svg");
    let results = fleet::survey(&[500]);
    fleet::draw(&results, &path).unwrap();
    let svg = std::fs::read_to_string(&path).unwrap();
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
    let lines = svg.matches("fill=\"none\"").count();
    assert_eq!(lines, fleet::LIVES.len() * fleet::outages().len());
    assert_eq!(fleet::table(&results).matches("token life").count(), 3);
}
