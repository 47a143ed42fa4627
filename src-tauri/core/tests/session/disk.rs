//! A disk that takes no records: the session goes on, and nothing old on it ends it.

use std::fs;

use vestibule_core::wire::Phase;

use crate::support::*;

/// Puts a folder where this record belongs: it can be neither replaced nor removed, not even
/// by root.
fn obstruct(rig: &Rig, record: &str) {
    let path = rig.records().join(record);
    // The sign-out before may be at its own records yet.
    let made = (0..1000).any(|_| {
        let _ = fs::remove_file(&path);
        fs::create_dir_all(path.join("in the way")).is_ok()
    });
    assert!(made, "a folder");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_written_does_not_end_the_session_that_it_belongs_to() {
    for record in [
        "device.json",
        "user.json",
        "signed-out.json",
        "journal.json",
    ] {
        let rig = Rig::signed_in().await;
        rig.session.logout().await;
        rig.until_signed_out().await;
        obstruct(&rig, record);
        rig.sign_in(PLAIN).await;
        let state = rig.state();
        let Phase::SignedIn { remembered, .. } = state.phase else {
            panic!("{record}: signed in: {state:?}")
        };
        assert!(!remembered, "{record}: and the person is told");
        rig.session.refresh().await.expect(record);
        assert!(is_fresh(&rig.state()), "{record}: {:?}", rig.state());
        rig.session.logout().await;
        rig.until_signed_out().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_out_elsewhere_still_counts_after_a_marker_that_could_not_be_removed() {
    let rig = Rig::signed_in().await;
    rig.session.logout().await;
    rig.until_signed_out().await;
    obstruct(&rig, "signed-out.json");
    rig.sign_in(PLAIN).await;
    let marker = rig.records().join("signed-out.json");
    fs::remove_dir_all(&marker).expect("the disk is well again");
    fs::write(&marker, r#"{"why":"revoked"}"#).expect("another process's");
    rig.session
        .refresh()
        .await
        .expect_err("the session is over");
    assert!(why(&rig.state()).is_some(), "{:?}", rig.state());
}
