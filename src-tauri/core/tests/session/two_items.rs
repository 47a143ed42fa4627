//! Several keyring items with one name, after keyrings were merged or restored: the newest item of
//! this installation is used, other sessions in them are ended at the backend, and one item is
//! left.

use std::fs;
use std::sync::Arc;

use vestibule_backend::Config;
use vestibule_harness::*;

/// Where the second item comes from.
#[derive(Clone, Copy, Debug)]
enum Twin {
    /// An earlier state of the same session.
    Earlier,
    /// An earlier session of this install.
    SessionBefore,
    /// Not a valid item.
    Rubbish,
}

/// Signs in and adds a second item to the first.
async fn with_two(setup: &Setup, twin: Twin) -> Installation {
    let mut install = setup.install().await;
    install.sign_in(DEMO).await;
    let mut others = setup.store.items();
    if let Twin::SessionBefore = twin {
        others = of_another_session(setup, &mut install).await;
    }
    for _ in 0..2 {
        install.session.refresh().await.expect("refreshed");
    }
    if let Twin::Rubbish = twin {
        for (_, value) in &mut others {
            *value = zeroize::Zeroizing::new(b"rubbish".to_vec());
        }
    }
    for (account, value) in others {
        setup.store.add_twin(&account, &value);
    }
    install
}

/// What this installation's keyring would hold after another sign-in: that session is valid, and
/// the records do not know it.
async fn of_another_session(
    setup: &Setup,
    install: &mut Installation,
) -> Vec<(String, vestibule_core::SecretBytes)> {
    install.quit().await;
    let kept: Vec<_> = files_of(&install.records)
        .into_iter()
        .map(|name| {
            let bytes = fs::read(install.records.join(&name)).expect("a record");
            (name, bytes)
        })
        .collect();
    let apart = Arc::new(TestStore::default());
    install.session = setup.open_with(&install.records, &install.clock, apart.clone());
    install.settle("another keyring").await.expect_err("nobody");
    install.sign_in(ADMIN).await;
    install.quit().await;
    for name in files_of(&install.records) {
        fs::remove_file(install.records.join(name)).expect("gone");
    }
    for (name, bytes) in kept {
        fs::write(install.records.join(name), bytes).expect("back again");
    }
    install.restart();
    install.settle("as before").await.expect("signed in");
    apart.items()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_counts_and_none_of_the_others_stays() {
    for twin in [Twin::Earlier, Twin::SessionBefore, Twin::Rubbish] {
        let setup = Setup::new(Config {
            grace: std::time::Duration::ZERO,
            ..Config::default()
        })
        .await;
        let mut install = with_two(&setup, twin).await;
        let name = format!("{twin:?}");
        install.restart();
        assert_eq!(install.settle(&name).await.as_deref(), Ok(DEMO), "{name}");
        install.session.refresh().await.expect("refreshed");
        let healed = || setup.store.twins() == 0;
        install
            .passing(eventually("one item to be left", healed))
            .await;
        install
            .passing(eventually(&name, || setup.alive(ADMIN) == 0))
            .await;
        assert_eq!(setup.alive(DEMO), 1, "{name}: the session is valid");
        install.restart();
        assert_eq!(install.settle(&name).await.as_deref(), Ok(DEMO), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_leaves_none_of_them() {
    for twin in [Twin::Earlier, Twin::SessionBefore, Twin::Rubbish] {
        for restarts in [false, true] {
            let setup = Setup::new(Config::default()).await;
            let mut install = with_two(&setup, twin).await;
            let name = format!("{twin:?}, restarted: {restarts}");
            if restarts {
                install.restart();
                assert_eq!(install.settle(&name).await.as_deref(), Ok(DEMO), "{name}");
            }
            install.session.logout().await;
            let nothing = || setup.store.items().is_empty() && setup.store.twins() == 0;
            install
                .passing(eventually("an empty keyring", nothing))
                .await;
            install
                .passing(eventually(&name, || {
                    setup.alive(DEMO) + setup.alive(ADMIN) == 0
                }))
                .await;
            install.restart();
            install.settle(&name).await.expect_err("signed out");
        }
    }
}
