//! The app is configured for another backend than before: the session at the first one is kept or
//! ended, and never just lost.

use std::time::Duration;

use vestibule_backend::Config;
use vestibule_core::StoreError;
use vestibule_harness::*;

/// The state of the keyring when somebody signs in at the second backend.
#[derive(Clone, Copy, Debug)]
enum Keyring {
    Open,
    OpensLate,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_at_another_backend_keeps_or_ends_the_session_at_the_first() {
    for keyring in [Keyring::Open, Keyring::OpensLate] {
        for goes_on in ["nothing more", "a refresh", "a sign-out"] {
            let one = Setup::new(Config::default()).await;
            let two = one.beside(Config::default()).await;
            let name = format!("{keyring:?}, {goes_on}");
            let mut install = one.install().await;
            install.sign_in(DEMO).await;
            if let Keyring::OpensLate = keyring {
                one.store.block(Block::Fail(StoreError::Locked));
            }
            install.profile = two.profile();
            install.restart();
            install
                .until("a start", |state| {
                    why(state).is_some() || outage(state).is_some()
                })
                .await;
            install.sign_in(ADMIN).await;
            assert_eq!(owner(&install.session).await.as_deref(), Some(ADMIN));
            one.store.heal();
            install.pass(Duration::from_secs(11));
            let saved = || !install_is_unsaved(&install);
            install
                .passing(eventually("the session to be stored", saved))
                .await;
            match goes_on {
                "a refresh" => install.session.refresh().await.expect("refreshed"),
                "a sign-out" => drop(install.session.logout().await),
                _ => {}
            }
            assert_eq!(
                one.backend.requests("POST", REFRESH),
                0,
                "the first session's token is not used"
            );
            // Back at the first backend, its session was either kept or ended.
            install.profile = one.profile();
            install.restart();
            match install.settle(&name).await {
                Ok(who) => assert_eq!(who, DEMO, "{name}"),
                Err(_) => {
                    install
                        .passing(eventually(&name, || one.alive(DEMO) == 0))
                        .await;
                }
            }
            // The second backend received none of this.
            let reuse = Some("reuse".to_owned());
            assert!(!two.ends(ADMIN).contains(&reuse), "{name}");
            assert!(!one.ends(DEMO).contains(&reuse), "{name}");
        }
    }
}

fn install_is_unsaved(install: &Installation) -> bool {
    matches!(
        install.state().phase,
        vestibule_core::wire::Phase::SignedIn {
            remembered: false,
            ..
        }
    )
}

/// Switching to and fro without a sign-in: each backend finds its own session again.
#[tokio::test(flavor = "multi_thread")]
async fn a_look_at_another_backend_ends_nothing() {
    let one = Setup::new(Config::default()).await;
    let two = one.beside(Config::default()).await;
    let mut install = one.install().await;
    install.sign_in(DEMO).await;
    for _ in 0..2 {
        install.profile = two.profile();
        install.restart();
        install.settle("the second").await.expect_err("nobody");
        assert_eq!(
            two.backend.requests("POST", REFRESH),
            0,
            "no refresh is sent to the other backend"
        );
        install.profile = one.profile();
        install.restart();
        let settled = install.settle("the first").await;
        assert_eq!(settled.as_deref(), Ok(DEMO));
    }
}
