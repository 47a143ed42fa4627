//! Every request of a session, in a process with an environment of its own: a sign-in, calls, a large
//! body, a refresh, a sign-out. Answers whether the sign-in succeeded.

use std::process::ExitCode;

use vestibule_harness::child::{Protocol, serve_once};
use vestibule_harness::{Lost, get};

use crate::carrier::Carrier;
use crate::client::Client;
use crate::origin::actions::{password_of, upload};

/// The child, started with an address and an email address.
pub struct NetworkProtocol;

impl Protocol for NetworkProtocol {
    const NAME: &'static str = "network";
    type Arguments = (String, String);
    type Command = ();
    type Answer = bool;
    type Event = ();
    type Report = ();

    fn take((): &mut (), (): ()) {}
}

/// Runs this child.
pub fn run(arguments: &[String]) -> ExitCode {
    serve_once::<NetworkProtocol>(arguments, |(address, email)| {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| error.to_string())?;
        runtime.block_on(use_network(address, &email))
    })
}

async fn use_network(address: String, email: &str) -> Result<bool, Lost> {
    let client = Client::new(address, email.to_owned(), Carrier::Cookie).await?;
    let session = &client.session;
    let signed_in = session.login(password_of(email)).await;
    if let Err(error) = &signed_in {
        eprintln!("{error}");
    } else {
        let me = session.fetch(get("/me")).await;
        let me = me.map_err(|error| format!("a call fails: {error}"))?;
        if me.status != 200 {
            return Err(format!("a call is answered {}", me.status));
        }
        upload(session, "/transfer").await;
        let renewed = session.refresh().await;
        renewed.map_err(|error| format!("a refresh fails: {error}"))?;
    }
    session.logout().await;
    Ok(signed_in.is_ok())
}
