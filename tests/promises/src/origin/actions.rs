//! Every call that carries a credential to the backend.

use vestibule_core::Secret;
use vestibule_core::session::Session;
use vestibule_core::wire::{FetchRequest, LoginInput, RegisterInput, UploadRequest};
use vestibule_harness::{Lost, OTP, PASSWORD, REFRESH, TOKEN, get};

use crate::carrier::Carrier;
use crate::client::Client;

/// How many bytes are uploaded: more than the core keeps to send a request again.
const LARGE: usize = 3 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Sends a password.
    Login,
    /// Sends a password.
    Register,
    /// Sends a code.
    VerifyOtp,
    /// Sends an e-mail address.
    ResendOtp,
    /// Sends the refresh token.
    Refresh,
    /// Sends the refresh token.
    Logout,
    /// Sends an access token.
    Get,
    /// Sends an access token, and a body that the core keeps to send it again.
    Post,
    /// Sends an access token, and a body that is too large to keep.
    Upload,
    /// Sends a provider the code of a sign-in by the browser, and the verifier.
    Exchange,
    /// Sends a provider the refresh token.
    Renew,
    /// Sends a provider the refresh token and the access token.
    Revoke,
}

pub const ALL: [Action; 12] = [
    Action::Login,
    Action::Register,
    Action::VerifyOtp,
    Action::ResendOtp,
    Action::Refresh,
    Action::Logout,
    Action::Get,
    Action::Post,
    Action::Upload,
    Action::Exchange,
    Action::Renew,
    Action::Revoke,
];

impl Action {
    /// The path of the call.
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
            Self::Exchange | Self::Renew => TOKEN,
            Self::Revoke => "/oidc/revoke",
        }
    }

    /// The session that makes the call.
    pub fn carrier(self) -> Carrier {
        match self {
            Self::Exchange | Self::Renew | Self::Revoke => Carrier::Provider,
            _ => Carrier::Cookie,
        }
    }

    /// Does what must come before it.
    pub async fn prepare(self, client: &Client) -> Result<(), Lost> {
        match self {
            Self::Login | Self::Register | Self::Exchange => Ok(()),
            Self::VerifyOtp | Self::ResendOtp => {
                let input = password_of(OTP);
                let asked = client.session.login(input).await;
                asked.map(drop).map_err(|error| format!("no code: {error}"))
            }
            Self::Refresh
            | Self::Logout
            | Self::Get
            | Self::Post
            | Self::Upload
            | Self::Renew
            | Self::Revoke => client.sign_in().await,
        }
    }

    /// Makes the call. Its result does not matter, only where it was sent.
    pub async fn attempt(self, client: &Client) {
        let session = &client.session;
        match self {
            Self::Login => drop(session.login(password_of(&client.email)).await),
            Self::Register => drop(session.register(new_account()).await),
            Self::VerifyOtp => {
                drop(vestibule_harness::verify(session, Secret::new("123456")).await)
            }
            Self::ResendOtp => drop(session.send_otp().await),
            Self::Refresh | Self::Renew => drop(session.refresh().await),
            Self::Logout | Self::Revoke => drop(session.logout().await),
            Self::Exchange => drop(client.sign_in().await),
            Self::Get => drop(session.fetch(get("/me")).await),
            Self::Post => drop(session.fetch(purchase()).await),
            Self::Upload => upload(session, self.path()).await,
        }
    }
}

/// Uploads a large body as a page does, as often as the core asks for it.
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
            Ok(vestibule_core::testing::UploadAnswer::SendAgain) => {}
            Ok(vestibule_core::testing::UploadAnswer::Answer(..)) | Err(_) => return,
        }
    }
}

/// The sign-in input of this account.
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
