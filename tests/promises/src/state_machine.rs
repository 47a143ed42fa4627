//! The state machine under any sequence of events, in any order and at any time: an event that
//! comes late, twice or for another session must neither end a session nor bring one back.

use std::panic::catch_unwind;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use uuid::Uuid;
use vestibule_core::testing::{BrowserSignIn, Challenge, Event, Outage, State};
use vestibule_core::wire::{
    BrowserRedirect, Freshness, Phase, SessionInfo, SignedOutReason, StorageStatus, User,
};

use crate::registry::Setting;
use crate::report::Row;

/// How many sequences of each property the short form tries.
const SHORT: u32 = 500;
/// How many the long form tries.
const LONG: u32 = 100_000;

/// How many sequences the running form tries.
static CASES: AtomicU32 = AtomicU32::new(SHORT);

pub async fn short(_: &Setting) -> Row {
    run(SHORT).await
}

pub async fn long(_: &Setting) -> Row {
    run(LONG).await
}

async fn run(cases: u32) -> Row {
    CASES.store(cases, Ordering::Relaxed);
    let mut losses = 0;
    for (name, property) in PROPERTIES {
        // A property panics with the shortest sequence of events that breaks it.
        let tried = tokio::task::spawn_blocking(move || catch_unwind(property)).await;
        if !matches!(tried, Ok(Ok(()))) {
            eprintln!("state machine lost: {name}; see above");
            losses += 1;
        }
    }
    let properties = PROPERTIES.len() as u64;
    Row {
        what: format!("{properties} properties of the state machine, {cases} sequences each"),
        runs: properties * u64::from(cases),
        losses,
        bound: "0 sign-outs",
        holds: losses == 0,
    }
}

macro_rules! properties {
    ($($name:ident),* $(,)?) => { [$((stringify!($name), $name)),*] };
}

/// Every property, with its name.
const PROPERTIES: [(&str, fn()); 7] = properties![
    only_an_end_and_a_sign_out_take_a_session_away,
    nothing_late_brings_a_session_back,
    what_waits_for_a_person_changes_nothing_but_itself,
    the_view_is_consistent,
    the_same_news_twice_is_no_news,
    nothing_leads_back_to_the_beginning,
    what_a_person_does_counts_at_once,
];

fn config() -> ProptestConfig {
    // Failing seeds are printed; a file beside the source would only be lost in a checkout.
    ProptestConfig {
        cases: CASES.load(Ordering::Relaxed),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

fn user(person: u8) -> User {
    User {
        id: person.to_string(),
        name: format!("Person {person}"),
        email: format!("{person}@vestibule.test"),
        email_verified: true,
        image: None,
        roles: Vec::new(),
    }
}

fn session(person: u8, number: u8) -> SessionInfo {
    SessionInfo {
        id: Uuid::from_u128(number.into()).into(),
        user_id: person.to_string(),
        expires_at: None,
    }
}

fn any_outage() -> impl Strategy<Value = Outage> {
    (0..3_u64, prop::option::of(0..3_u64)).prop_map(|(since, retry)| Outage {
        since,
        retry_at: retry.map(Duration::from_secs),
        why: None,
    })
}

fn any_why() -> impl Strategy<Value = SignedOutReason> {
    prop::sample::select(vec![
        SignedOutReason::Never,
        SignedOutReason::ByUser,
        SignedOutReason::Expired,
        SignedOutReason::Revoked,
        SignedOutReason::Reuse,
        SignedOutReason::DeviceMismatch,
        SignedOutReason::Missing,
        SignedOutReason::ProviderMoved,
    ])
}

fn any_storage() -> impl Strategy<Value = StorageStatus> {
    prop::sample::select(vec![
        StorageStatus::Ok,
        StorageStatus::MemoryOnly,
        StorageStatus::TooLarge,
        StorageStatus::Locked,
        StorageStatus::Absent,
    ])
}

fn any_challenge() -> impl Strategy<Value = Challenge> {
    (0..3_u8).prop_map(|number| Challenge {
        id: Uuid::from_u128(number.into()).into(),
        email: format!("{number}@vestibule.test"),
        resend_at: Duration::from_secs(number.into()),
        methods: Vec::new(),
        trust_days: None,
    })
}

fn any_browser_sign_in() -> impl Strategy<Value = BrowserSignIn> {
    (0..3_u8, any::<[bool; 2]>()).prop_map(|(number, [opened, returned])| BrowserSignIn {
        id: Uuid::from_u128(number.into()).into(),
        button: "browser".into(),
        label: None,
        redirect: Some(BrowserRedirect::Loopback),
        opened,
        returned,
        device: None,
        expires_at: Duration::from_secs(number.into()),
    })
}

/// A sign-in that waits for a person, and what ends it when it is given up.
fn any_pending() -> impl Strategy<Value = (Event, Event)> {
    prop_oneof![
        any_challenge().prop_map(|it| (Event::Challenged(it), Event::ChallengeOver)),
        any_browser_sign_in().prop_map(|it| (Event::BrowserSignIn(it), Event::BrowserSignInOver)),
    ]
}

/// A user with a session, for a sign-in and for other events that need one.
fn any_person() -> impl Strategy<Value = (User, SessionInfo)> {
    (0..3_u8, 0..3_u8).prop_map(|(person, number)| (user(person), session(person, number)))
}

/// What the timer, the start and the keyring report: no action of a user, and nothing that ends a
/// session.
fn any_passing() -> impl Strategy<Value = Event> {
    prop_oneof![
        any_why().prop_map(Event::NothingFound),
        (any_person(), any_outage()).prop_map(|((user, session), outage)| Event::LastKnown {
            user,
            session,
            outage
        }),
        (any_person(), any::<bool>()).prop_map(|((user, session), remembered)| Event::Renewed {
            user: Some(user),
            session,
            remembered
        }),
        // A refresh whose answer names no user belongs to the current session or comes too late for
        // it. Here it always belongs to another session.
        (0..3_u8, any::<bool>()).prop_map(|(number, remembered)| Event::Renewed {
            user: None,
            session: session(9, number),
            remembered
        }),
        any_outage().prop_map(Event::Unreached),
        any::<bool>().prop_map(Event::Remembered),
        any_storage().prop_map(Event::Storage),
    ]
}

fn any_challenging() -> impl Strategy<Value = Event> {
    prop_oneof![
        any_pending().prop_map(|(begins, _)| begins),
        Just(Event::ChallengeOver),
        Just(Event::BrowserSignInOver),
    ]
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => any_passing(),
        2 => any_challenging(),
        1 => (any_person(), any::<bool>()).prop_map(|((user, session), remembered)| {
            Event::SignedIn { user, session, remembered }
        }),
        1 => any_why().prop_map(Event::Ended),
        1 => Just(Event::SignedOut),
    ]
}

fn any_past() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(any_event(), 0..40)
}

fn after(events: impl IntoIterator<Item = Event>) -> State {
    let mut state = State::default();
    for event in events {
        state.apply(event);
    }
    state
}

/// The state after whatever waits for a person is given up.
fn without_pending(state: &State) -> State {
    let mut state = state.clone();
    state.apply(Event::ChallengeOver);
    state.apply(Event::BrowserSignInOver);
    state
}

/// What waits for a person.
fn pending(state: &State) -> (Option<&Challenge>, Option<&BrowserSignIn>) {
    (state.open_challenge(), state.browser_sign_in())
}

fn is_signed_out(state: &State) -> bool {
    matches!(
        without_pending(state).view(Duration::ZERO).phase,
        Phase::SignedOut { .. }
    )
}

fn is_signed_in(state: &State) -> bool {
    matches!(
        without_pending(state).view(Duration::ZERO).phase,
        Phase::SignedIn { .. }
    )
}

proptest! {
    #![proptest_config(config())]

    /// Only two kinds of events end a session.
    fn only_an_end_and_a_sign_out_take_a_session_away(events in prop::collection::vec(any_event(), 1..60)) {
        let mut state = State::default();
        for event in events {
            let held = state.signed_in().is_some();
            let ends = matches!(event, Event::Ended(_) | Event::SignedOut);
            state.apply(event.clone());
            if held && !ends {
                prop_assert!(state.signed_in().is_some(), "{event:?} ended a session");
            }
            if ends {
                prop_assert!(state.signed_in().is_none(), "{event:?} did not end the session");
            }
        }
    }

    /// Late events do not bring a session back. Only a sign-in does.
    fn nothing_late_brings_a_session_back(
        past in any_past(),
        sign_out in prop_oneof![Just(Event::SignedOut), any_why().prop_map(Event::Ended)],
        late in prop::collection::vec(
            prop_oneof![4 => any_passing(), 1 => any_challenging(), 1 => any_why().prop_map(Event::Ended)],
            0..30,
        ),
    ) {
        let mut state = after(past);
        state.apply(sign_out);
        let why = without_pending(&state).view(Duration::ZERO).phase;
        for event in late {
            state.apply(event.clone());
            prop_assert!(is_signed_out(&state), "{event:?} after the end gave {state:?}");
            prop_assert_eq!(state.signed_in(), None);
            prop_assert_eq!(state.outage(), None, "a signed-out state has no outage");
            prop_assert_eq!(&without_pending(&state).view(Duration::ZERO).phase, &why, "the first reason stands");
        }
    }

    /// A challenge, and a sign-in by the browser, are beside the session: whatever happens meanwhile,
    /// cancelling it leaves the state that would exist without it.
    fn what_waits_for_a_person_changes_nothing_but_itself(
        past in any_past(),
        (begins, over) in any_pending(),
        meanwhile in prop::collection::vec(
            prop_oneof![5 => any_passing(), 1 => any_why().prop_map(Event::Ended)],
            0..20,
        ),
    ) {
        let before = without_pending(&after(past));
        let mut plain = before.clone();
        let mut waits = before.clone();
        waits.apply(begins);
        let begun = waits.clone();
        prop_assert!(pending(&begun) != (None, None), "nothing waits");
        for event in meanwhile {
            plain.apply(event.clone());
            waits.apply(event.clone());
            prop_assert_eq!(pending(&waits), pending(&begun), "{:?} closed it", event);
            prop_assert_eq!(waits.signed_in(), plain.signed_in(), "behind it, after {:?}", event);
            prop_assert_eq!(waits.outage(), plain.outage());
            prop_assert_eq!(waits.is_restoring(), plain.is_restoring());
        }
        waits.apply(over);
        prop_assert_eq!(waits, plain);
    }

    /// The window's view is consistent in every state that can be reached.
    fn the_view_is_consistent(events in prop::collection::vec(any_event(), 1..60)) {
        let mut state = State::default();
        let mut storage = StorageStatus::Ok;
        for event in events {
            if let Event::Storage(told) = &event {
                storage = *told;
            }
            let before = state.view(Duration::ZERO);
            let changed = state.apply(event.clone());
            let view = state.view(Duration::ZERO);
            prop_assert!(changed || view == before, "{event:?} changed the view without reporting a change");
            prop_assert_eq!(view.storage, storage, "only events of the keyring change it");
            match &view.phase {
                Phase::SignedIn { user, session, freshness, .. } => {
                    prop_assert_eq!(&user.id, &session.user_id, "one person's name, another's session");
                    prop_assert_eq!(state.signed_in(), Some((user, session)));
                    let outage = match freshness { Freshness::Fresh => None, Freshness::Stale(outage) => Some(outage.since) };
                    prop_assert_eq!(state.outage().map(|outage| outage.since), outage);
                    prop_assert_eq!(pending(&state), (None, None));
                }
                Phase::SignedOut { .. } => {
                    prop_assert_eq!(state.signed_in(), None);
                    prop_assert_eq!(state.outage(), None);
                    prop_assert_eq!(pending(&state), (None, None));
                    let shown = serde_json::to_value(&view).unwrap();
                    for key in ["user", "session", "challenge", "signIn", "freshness"] {
                        prop_assert!(shown.get(key).is_none(), "{key} of a session that is over");
                    }
                }
                Phase::OtpPending { challenge } => {
                    let open = state.open_challenge().map(|open| open.id);
                    prop_assert_eq!(open, Some(challenge.id));
                }
                Phase::BrowserPending { sign_in } => {
                    let open = state.browser_sign_in().map(|open| open.id);
                    prop_assert_eq!(open, Some(sign_in.id));
                }
                Phase::Restoring { outage, .. } => {
                    prop_assert_eq!(state.signed_in(), None);
                    prop_assert_eq!(state.outage().map(|outage| outage.since), outage.map(|outage| outage.since));
                    prop_assert!(state.is_restoring());
                }
            }
            prop_assert!(
                !(state.is_restoring() && state.signed_in().is_some()),
                "restoring what is already there"
            );
        }
    }

    /// An event states what is true now, so applying it twice changes nothing more.
    fn the_same_news_twice_is_no_news(past in any_past(), event in any_event()) {
        let mut state = after(past);
        state.apply(event.clone());
        let once = state.clone();
        prop_assert!(!state.apply(event), "the second time changed something");
        prop_assert_eq!(state, once);
    }

    /// Restoring is the first state: no event leads back to it, so no screen can hang there.
    fn nothing_leads_back_to_the_beginning(past in any_past(), events in any_past()) {
        let mut state = after(past);
        let mut known = is_signed_in(&state) || is_signed_out(&state);
        for event in events {
            state.apply(event.clone());
            let knows = is_signed_in(&state) || is_signed_out(&state);
            prop_assert!(knows || !known, "{event:?} forgot what was known");
            known = knows;
        }
    }

    /// A sign-in and a sign-out take effect in every state.
    fn what_a_person_does_counts_at_once(past in any_past(), (user, session) in any_person()) {
        let mut state = after(past);
        state.apply(Event::SignedIn { user: user.clone(), session: session.clone(), remembered: true });
        prop_assert_eq!(state.signed_in(), Some((&user, &session)));
        prop_assert_eq!(pending(&state), (None, None));
        prop_assert_eq!(state.outage(), None);
        state.apply(Event::SignedOut);
        let by_user = Phase::SignedOut { why: SignedOutReason::ByUser };
        prop_assert_eq!(state.view(Duration::ZERO).phase, by_user);
    }
}
