//! What the windows do.

use std::time::Duration;

use vestibule_core::AccountId;
use vestibule_core::session::{Session, UploadAnswer};
use vestibule_core::wire::{FetchRequest, UploadRequest};
use vestibule_harness::{Lost, get, is_fresh, shown, try_eventually};

use super::judge::ASKED;
use super::{Person, Plant, World};

/// The longest pause between two things that a window does.
const PAUSE: Duration = Duration::from_millis(30);

/// Works in this window until the time is over.
pub async fn work(world: &World, window: &str) {
    let mut round = 0_u32;
    while !world.is_over() {
        round += 1;
        let (id, session) = match page(world, window) {
            Ok(found) => found,
            Err(what) => return world.judge.mixed_up(what),
        };
        let Some(person) = world.person(id) else {
            return world
                .judge
                .mixed_up(format!("{window} shows an account of nobody's: {id:?}"));
        };
        look(world, person, &session);
        call(world, person, &session).await;
        look(world, person, &session);
        match round % 16 {
            3 | 11 => upload(world, person, &session).await,
            5 if session.refresh().await.is_ok() => {
                world.judge.count(|counts| counts.refreshes += 1);
            }
            7 | 15 if window == "window-4" => change(world, window, id),
            9 if window == "window-2" && world.plant.is_none() => {
                sign_out_and_in(world, person, &session).await;
            }
            _ => {}
        }
        tokio::time::sleep(PAUSE.mul_f64(rand::random())).await;
    }
}

/// The session of a window's page.
fn page(world: &World, window: &str) -> Result<(AccountId, Session), Lost> {
    let accounts = world.app.accounts();
    accounts.page_began(window);
    let page = |window| accounts.session(window).map_err(|error| error.to_string());
    let (id, session) = page(window)?;
    match world.plant {
        Some(Plant::CrossedWindows) if window == "main" => Ok((id, page("window-2")?.1)),
        _ => Ok((id, session)),
    }
}

/// Whoever the session shows has to be the account's person.
fn look(world: &World, person: &Person, session: &Session) {
    let seen = shown(&session.snapshot().state);
    if seen.is_some_and(|seen| seen != person.email) {
        world
            .judge
            .mixed_up(format!("{} is shown as somebody else", person.email));
    }
}

async fn call(world: &World, person: &Person, session: &Session) {
    let request = FetchRequest {
        headers: vec![(ASKED.to_owned(), person.email.clone())],
        ..get("/me")
    };
    // Without the backend, or signed out, there is no answer.
    if let Ok(reply) = session.fetch(request).await
        && reply.status == 200
    {
        world.judge.answered(person, &reply.body);
        world.judge.count(|counts| counts.calls += 1);
    }
}

async fn upload(world: &World, person: &Person, session: &Session) {
    let request = UploadRequest {
        path: "/transfer".into(),
        method: "POST".into(),
        headers: vec![(ASKED.to_owned(), person.email.clone())],
        length: None,
        replayable: false,
    };
    let Ok(upload) = session.upload(&request) else {
        return;
    };
    for _ in 0..3 {
        if !upload.write(vec![b'u'; 16 * 1024]).await {
            break;
        }
    }
    if let Ok(UploadAnswer::Answer(reply, _)) = upload.answer().await
        && reply.status == 200
    {
        world.judge.count(|counts| counts.uploads += 1);
    }
}

/// The window changes between the first account and the third, which are in two workspaces.
fn change(world: &World, window: &str, from: AccountId) {
    let [first, _, third] = &world.people;
    let to = match from == first.id {
        true => third.id,
        false => first.id,
    };
    match world.app.accounts().switch(window, to) {
        Ok(()) => world.judge.count(|counts| counts.switches += 1),
        Err(error) => world.judge.mixed_up(format!("no change: {error}")),
    }
}

async fn sign_out_and_in(world: &World, person: &Person, session: &Session) {
    session.logout().await;
    world.judge.count(|counts| counts.sign_outs += 1);
    let (email, desktop) = (&person.email, world.app.host.desktop_of(person.id));
    if let Err(error) = person.carrier.sign_in(session, &desktop, email).await {
        world
            .judge
            .mixed_up(format!("{email} cannot sign in again: {error}"));
    }
}

/// Waits until the window has its person's fresh session.
pub async fn until_signed_in(world: &World, window: &str, person: &Person) -> Result<(), Lost> {
    let is_signed_in = || {
        let Ok((id, session)) = page(world, window) else {
            return false;
        };
        let state = session.snapshot().state;
        id == person.id && is_fresh(&state) && shown(&state).as_ref() == Some(&person.email)
    };
    try_eventually(
        &format!("{} to be signed in again", person.email),
        is_signed_in,
    )
    .await
}
