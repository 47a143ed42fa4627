//! Several keyring items with one name, after keyrings were merged or restored: the newest item of
//! this installation is used, other sessions in them are ended at the backend, and one item is
//! left.

use std::fs;
use std::sync::Arc;

use vestibule_backend::Config;

use crate::support::*;

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
async fn with_two(world: &World, twin: Twin) -> Install {
    let mut install = world.install().await;
    install.sign_in(PLAIN).await;
    let mut others = world.store.items();
    if let Twin::SessionBefore = twin {
        others = of_another_session(world, &mut install).await;
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
        world.store.add_twin(&account, &value);
    }
    install
}

/// What this installation's keyring would hold after another sign-in: that session is valid, and
/// the records do not know it.
async fn of_another_session(
    world: &World,
    install: &mut Install,
) -> Vec<(String, vestibule_core::SecretBytes)> {
    install.quit(world).await;
    let kept: Vec<_> = files_of(&install.records)
        .into_iter()
        .map(|name| {
            let bytes = fs::read(install.records.join(&name)).expect("a record");
            (name, bytes)
        })
        .collect();
    let apart = Arc::new(TestStore::default());
    install.session = world.open_with(&install.records, &install.clock, apart.clone());
    install.settle("another keyring").await.expect_err("nobody");
    install.sign_in(ADMIN).await;
    install.quit(world).await;
    for name in files_of(&install.records) {
        fs::remove_file(install.records.join(name)).expect("gone");
    }
    for (name, bytes) in kept {
        fs::write(install.records.join(name), bytes).expect("back again");
    }
    install.restart(world);
    install.settle("as before").await.expect("signed in");
    apart.items()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_counts_and_none_of_the_others_stays() {
    for twin in [Twin::Earlier, Twin::SessionBefore, Twin::Rubbish] {
        let world = World::new(Config {
            grace: std::time::Duration::ZERO,
            ..Config::default()
        })
        .await;
        let mut install = with_two(&world, twin).await;
        let name = format!("{twin:?}");
        install.restart(&world);
        assert_eq!(install.settle(&name).await.as_deref(), Ok(PLAIN), "{name}");
        install.session.refresh().await.expect("refreshed");
        let healed = || world.store.twins() == 0;
        install
            .passing(eventually("one item to be left", healed))
            .await;
        install
            .passing(eventually(&name, || world.alive(ADMIN) == 0))
            .await;
        assert_eq!(world.alive(PLAIN), 1, "{name}: the session is valid");
        install.restart(&world);
        assert_eq!(install.settle(&name).await.as_deref(), Ok(PLAIN), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_leaves_none_of_them() {
    for twin in [Twin::Earlier, Twin::SessionBefore, Twin::Rubbish] {
        for restarts in [false, true] {
            let world = World::new(Config::default()).await;
            let mut install = with_two(&world, twin).await;
            let name = format!("{twin:?}, restarted: {restarts}");
            if restarts {
                install.restart(&world);
                assert_eq!(install.settle(&name).await.as_deref(), Ok(PLAIN), "{name}");
            }
            install.session.logout().await;
            let nothing = || world.store.items().is_empty() && world.store.twins() == 0;
            install
                .passing(eventually("an empty keyring", nothing))
                .await;
            install
                .passing(eventually(&name, || {
                    world.alive(PLAIN) + world.alive(ADMIN) == 0
                }))
                .await;
            install.restart(&world);
            install.settle(&name).await.expect_err("signed out");
        }
    }
}
