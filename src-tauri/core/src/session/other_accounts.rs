//! What a session asks of the layer above: which grants the other accounts of the installation use. A person
//! may be signed in at one provider in several of them, and a provider may end all those sessions together.

use super::provider_grant::GrantInUse;

/// The other accounts of the installation.
pub trait OtherAccounts: Send + Sync + 'static {
    /// The grants that their sessions use. Called outside of the runtime's own threads: it may read a few
    /// small files for each account.
    fn grants(&self) -> Vec<GrantInUse>;
}

/// There are none: the app has one account.
pub struct NoOtherAccounts;

impl OtherAccounts for NoOtherAccounts {
    fn grants(&self) -> Vec<GrantInUse> {
        Vec::new()
    }
}
