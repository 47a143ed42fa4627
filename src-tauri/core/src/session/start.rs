//! Opens a session: makes what its verbs share, connects them with each other, and restores the session of
//! the last run.

use std::io;
use std::sync::Arc;

use super::api_call::ApiCalls;
use super::browser_sign_in::BrowserSignIns;
use super::commit::Committer;
use super::context::Context;
use super::inner::Shared;
use super::item_keeper::ItemKeeper;
use super::listed_sessions::ListedSessions;
use super::other_processes::OtherProcesses;
use super::pending_sign_outs::PendingSignOuts;
use super::persistence::Persistence;
use super::process_lock::ProcessLock;
use super::reconcile::Reconcile;
use super::record::Records;
use super::refresh::Refresh;
use super::refresh_failure::RefreshFailures;
use super::refresh_sender::RefreshSender;
use super::restore::Restore;
use super::rights::Rights;
use super::rotation::Rotation;
use super::scheduler::Scheduler;
use super::sign_in::SignIn;
use super::sign_out::SignOut;
use super::sign_out_delivery::SignOutDelivery;
use super::token_keeper::TokenKeeper;
use super::trusted_device::TrustedDevice;
use super::{Config, Machine, Session, Verbs, account_records, legacy};
use crate::backend::Backend;
use crate::clock::{Clock, SystemClock};
use crate::cookies::Jar;
use crate::error::AuthError;
use crate::folder_advice;
use crate::state::State;
use crate::storage::records::FolderRecords;
use crate::transport::{NetworkSettings, Transport};
use crate::wire::{Cause, SessionChanged};

impl Session {
    /// Opens the session of an account and begins to restore it. Must be called within a
    /// tokio runtime.
    ///
    /// # Errors
    /// If the records' folder cannot be used, or no HTTP client can be made.
    pub fn open(config: Config) -> Result<Self, AuthError> {
        Self::open_with_network(NetworkSettings::default(), config)
    }

    /// The same with network settings, from an administrator or from the desktop. Must be called
    /// within a tokio runtime.
    ///
    /// # Errors
    /// As [`Session::open`].
    pub fn open_with_network(network: NetworkSettings, config: Config) -> Result<Self, AuthError> {
        let transport = config.transport(network)?;
        Self::open_over(transport, config)
    }

    /// The same over a client that other sessions with the same backend use too
    /// ([`Config::transport`] makes one), or over any other transport. Must be called within a tokio
    /// runtime.
    ///
    /// # Errors
    /// If the records' folder cannot be used.
    pub fn open_over(transport: Arc<dyn Transport>, config: Config) -> Result<Self, AuthError> {
        Self::open_by(config, Arc::new(SystemClock), transport)
    }

    pub(super) fn open_by(
        config: Config,
        clock: Arc<dyn Clock>,
        transport: Arc<dyn Transport>,
    ) -> Result<Self, AuthError> {
        let unusable = |error: io::Error| folder_advice::unusable_folder(&config.folder, &error);
        let records = FolderRecords::open(&config.folder).map_err(unusable)?;
        let preparing = transport.clone();
        tokio::spawn(async move { preparing.prepare().await });
        let machine = Machine {
            clock,
            records: Arc::new(records),
            transport,
        };
        Self::open_machine(config, machine)
    }

    pub(super) fn open_machine(config: Config, machine: Machine) -> Result<Self, AuthError> {
        let Machine {
            clock,
            records,
            transport,
        } = machine;
        let unusable = |error: io::Error| folder_advice::unusable_folder(&config.folder, &error);
        let records = Records::new(records);
        let identified = account_records::identify(&records, &config.product);
        let (local_ids, device) = identified.map_err(&unusable)?;
        let origin = config.profile.token_origins();
        if let Err(error) = legacy::take_over(&records, local_ids, &device, &origin) {
            // The old records stay, for the next start.
            return Err(unusable(error));
        }
        let state = State::new(config.profile.roles.clone());
        // A request that names no jar carries no ordinary cookie.
        let backend = Backend::with_transport(config.profile, transport).with_jar(Jar::closed());
        let first = SessionChanged {
            workspace: config.workspace.clone(),
            revision: 0,
            cause: Cause::Start,
            state: state.view(clock.since_boot()),
            offers: backend.features(),
        };
        let pending = PendingSignOuts::open(
            &config.workspace,
            local_ids,
            &records,
            config.store.clone(),
            clock.clone(),
        );
        let pending = Arc::new(pending);
        let persistence = Persistence::new(
            &config.workspace,
            local_ids,
            origin,
            records.clone(),
            &config.store,
        );
        let persistence = Arc::new(persistence);
        let shared = Arc::new(Shared::new(state, device, first, clock.clone()));
        let context = Arc::new(Context {
            commit: Committer::new(shared.clone(), persistence.clone()),
            items: ItemKeeper::new(shared.clone(), persistence.clone(), pending.clone()),
            trusted: TrustedDevice::new(
                &config.workspace,
                local_ids.install,
                backend.profile(),
                config.store,
                records.clone(),
            ),
            lock: ProcessLock::new(records),
            delivery: SignOutDelivery::new(pending.clone(), config.others, clock),
            shared,
            persistence,
            pending,
            backend,
            product: config.product,
            desktop: config.desktop,
        });
        Ok(Self::start(context, config.workspace))
    }

    /// Connects the verbs with each other and starts restoring the session.
    fn start(context: Arc<Context>, workspace: String) -> Self {
        let others = Arc::new(OtherProcesses::new(context.clone()));
        let reconcile = Arc::new(Reconcile::new(context.clone(), others.clone()));
        let keeper = Arc::new(TokenKeeper::new(context.clone(), others.clone()));
        let failures = Arc::new(RefreshFailures::new(context.clone()));
        let refresh_sender = RefreshSender::new(context.clone(), keeper.clone(), failures.clone());
        let rotation = Rotation::new(
            context.clone(),
            reconcile.clone(),
            others.clone(),
            refresh_sender,
            failures,
        );
        let refresh = Arc::new(Refresh::new(context.clone(), rotation));
        let sign_out = Arc::new(SignOut {
            context: context.clone(),
            reconcile: reconcile.clone(),
            others,
        });
        let rights = Arc::new(Rights {
            context: context.clone(),
            refresh: refresh.clone(),
        });
        let calls = Arc::new(ApiCalls {
            context: context.clone(),
            reconcile: reconcile.clone(),
            refresh: refresh.clone(),
            keeper: keeper.clone(),
            rights: rights.clone(),
        });
        let listed = ListedSessions::new(context.clone(), calls.clone(), sign_out.clone());
        let scheduler = Arc::new(Scheduler {
            context: context.clone(),
            refresh: refresh.clone(),
            keeper,
            sign_out: sign_out.clone(),
        });
        let restore = Restore {
            context: context.clone(),
            reconcile,
            refresh: refresh.clone(),
        };
        // Taken before anybody can sign in: if a crash interrupted the end of a session, that end
        // is finished first.
        let local_lock = context.lock.try_local_lock();
        let schedule = Arc::downgrade(&scheduler);
        tokio::spawn(async move {
            restore.run(local_lock).await;
            restore.context.shared.end_start();
            drop(restore);
            Scheduler::run(schedule).await;
        });
        let one_sign_in = Arc::<tokio::sync::Mutex<()>>::default();
        Self(Arc::new(Verbs {
            browser: Arc::new(BrowserSignIns::new(context.clone(), one_sign_in.clone())),
            sign_in: Arc::new(SignIn::new(context.clone(), one_sign_in)),
            context,
            sign_out,
            refresh,
            calls,
            listed,
            rights,
            scheduler,
            workspace,
        }))
    }
}
