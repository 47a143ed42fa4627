//! `network ADDRESS EMAIL`: every request of a session, in a process with an environment of its
//! own: a sign-in, calls, a large body, a refresh, a sign-out. Prints `signed-in` or `refused`, and
//! at its end `done`.

use std::process::ExitCode;

use vestibule_harness::{Lost, get};

use crate::client::Client;
use crate::origin::actions::{password_of, upload};

/// Runs this child.
pub fn run(arguments: &[String]) -> ExitCode {
    let [address, email] = arguments else {
        eprintln!("network ADDRESS EMAIL");
        return ExitCode::from(2);
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let finished = match runtime {
        Ok(runtime) => runtime.block_on(use_network(address, email)),
        Err(error) => Err(error.to_string()),
    };
    match finished {
        Ok(()) => ExitCode::SUCCESS,
        Err(lost) => {
            eprintln!("{lost}");
            ExitCode::FAILURE
        }
    }
}

async fn use_network(address: &str, email: &str) -> Result<(), Lost> {
    let client = Client::new(address.to_owned(), email.to_owned()).await?;
    let session = &client.session;
    if let Err(error) = session.login(password_of(email)).await {
        println!("refused");
        eprintln!("{error}");
    } else {
        println!("signed-in");
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
    println!("done");
    Ok(())
}
