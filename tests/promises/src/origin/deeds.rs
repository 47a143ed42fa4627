//! Everything that carries a credential to the backend.

use vestibule_core::secrets::Secret;
use vestibule_core::session::Session;
use vestibule_core::wire::{FetchRequest, LoginInput, RegisterInput, UploadRequest};

use crate::rig::{Client, Lost, PASSWORD, REFRESH, get};

/// Asks for a code by mail at each sign-in.
const MAILED: &str = "otp@vestibule.test";
/// How much is uploaded: more than is kept for a replay.
const LARGE: usize = 3 << 20;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A password goes out.
    Login,
    /// Likewise.
    Register,
    /// A code goes out.
    VerifyOtp,
    /// An address goes out.
    ResendOtp,
    /// The refresh token goes out.
    Refresh,
    /// Likewise.
    Logout,
    /// A bearer goes out.
    Get,
    /// Likewise, with a body that is kept for a replay.
    Post,
    /// Likewise, with one that is not.
    Upload,
}

/// All of them.
pub const ALL: [Deed; 9] = [
    Deed::Login,
    Deed::Register,
    Deed::VerifyOtp,
    Deed::ResendOtp,
    Deed::Refresh,
    Deed::Logout,
    Deed::Get,
    Deed::Post,
    Deed::Upload,
];

impl Deed {
    /// Where it goes.
    pub fn path(self) -> &'static str {
        match self {
            Self::Login => "/login",
            Self::Register => "/register",
            Self::VerifyOtp => "/verify-otp",
            Self::ResendOtp => "/resend-otp",
            Self::Refresh => REFRESH,
            Self::Logout => "/logout",
            Self::Get => "/me",
            Self::Post => "/plans/team/purchase",
            Self::Upload => "/transfer",
        }
    }

    /// What comes before it.
    pub async fn prepare(self, client: &Client) -> Result<(), Lost> {
        match self {
            Self::Login | Self::Register => Ok(()),
            Self::VerifyOtp | Self::ResendOtp => {
                let input = password_of(MAILED);
                let asked = client.session.login(input).await;
                asked.map(drop).map_err(|error| format!("no code: {error}"))
            }
            Self::Refresh | Self::Logout | Self::Get | Self::Post | Self::Upload => {
                client.sign_in().await
            }
        }
    }

    /// Whatever comes of it: what matters is where it went.
    pub async fn attempt(self, client: &Client) {
        let session = &client.session;
        match self {
            Self::Login => drop(session.login(password_of(&client.email)).await),
            Self::Register => drop(session.register(new_account()).await),
            Self::VerifyOtp => drop(crate::rig::verify(session, Secret::new("123456")).await),
            Self::ResendOtp => drop(session.resend_otp().await),
            Self::Refresh => drop(session.refresh().await),
            Self::Logout => drop(session.logout().await),
            Self::Get => drop(session.fetch(get("/me")).await),
            Self::Post => drop(session.fetch(purchase()).await),
            Self::Upload => upload(session, self.path()).await,
        }
    }
}

/// Gives a large body as a page does, as often as it is wanted.
pub async fn upload(session: &Session, path: &str) {
    let request = UploadRequest {
        path: path.into(),
        method: "POST".into(),
        headers: Vec::new(),
        length: Some(LARGE as u64),
        replayable: true,
    };
    let Ok(upload) = session.upload(&request) else {
        return;
    };
    loop {
        for _ in 0..LARGE / (256 * 1024) {
            if !upload.write(vec![b'u'; 256 * 1024]).await {
                break;
            }
        }
        match upload.answer().await {
            Ok(vestibule_core::session::Given::Again) => {}
            Ok(vestibule_core::session::Given::Answer(..)) | Err(_) => return,
        }
    }
}

/// The sign-in of this account.
pub fn password_of(email: &str) -> LoginInput {
    LoginInput::new(email, PASSWORD)
}

fn new_account() -> RegisterInput {
    RegisterInput::new("New", "new@vestibule.test", PASSWORD)
}

fn purchase() -> FetchRequest {
    FetchRequest {
        path: "/plans/team/purchase".into(),
        method: "POST".into(),
        headers: vec![("content-type".into(), "application/json".into())],
        body: Some("{}".into()),
    }
}
