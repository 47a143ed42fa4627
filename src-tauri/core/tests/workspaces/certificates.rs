//! A look at a server whose certificate is not to be trusted: it is told why, and sends nothing.

use serde_json::json;
use vestibule_backend::Config;
use vestibule_core::Obstacle;
use vestibule_harness::{Authority, Front, Shows, start_backend};

use crate::{look, open};

#[tokio::test(flavor = "multi_thread")]
async fn no_other_certificate_is_spoken_to() {
    let backend = start_backend(Config::default()).await;
    // This process does not trust the authority.
    let authority = Authority::new();
    let folder = tempfile::tempdir().expect("a folder");
    let workspaces = open(json!({}), folder.path());
    for shows in [Shows::SelfSigned, Shows::Strangers, Shows::Good] {
        let front = Front::before(backend.address(), "127.0.0.1", &authority, shows).await;
        let typed = format!("https://{}", front.address);
        let found = look(&workspaces, &typed).await.expect("an address");
        assert!(!found.fits, "{shows:?}: {found:?}");
        let words = Obstacle::CertificateIssuer.sentences();
        assert_eq!(found.finding, words, "{shows:?}");
        workspaces.add(&typed).expect_err("it does not fit");
    }
    assert_eq!(backend.all_requests(), 0);
}
