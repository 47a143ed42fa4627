//! The reference backend of Vestibule.
//!
//! A small, real authentication backend on one SQLite file: accounts with argon2id passwords,
//! rotating refresh tokens with reuse detection, one-time codes, roles, a list of devices. It
//! serves the default contract, starts with the app in development, and fails on demand, as
//! tests need it. As a library it runs inside a test, as the program `vestibule-backend` by
//! itself.
//!
//! # In a test
//!
//! ```text
//! let backend = Backend::start(Config::default()).await?;   // a free port, a temporary file
//! // … sign in at backend.url() as demo@vestibule.test / vestibule-demo …
//! backend.faults().add(Fault::on("POST", "/refresh-token", Effect::status(503)).times(2));
//! backend.set_grace(Duration::ZERO);                        // strict from here on
//! backend.down().await;                                     // connection refused
//! backend.up().await?;                                      // the same address again
//! assert_eq!(backend.requests("POST", "/refresh-token"), 3);
//! backend.stop().await;
//! ```
//!
//! [`Config::default`] is for tests: cheap hashing, no rate limits; demo accounts, faults and
//! recording are on. The program starts from [`Config::product`]. With [`Config::database`] set,
//! everything survives a restart, also the grace window, pending codes and access tokens. Start
//! on the same [`Config::port`] to keep the address.
//!
//! # Endpoints
//!
//! JSON both ways, except `/transfer`; a refusal is `{message, code}`. A request body has at most
//! 64 KiB (413) and only the fields below (422 `INVALID_INPUT` names every unknown and every wrong
//! field); bad JSON is 400 `INVALID_JSON`, another content type 415. `S` is
//! `{user, tokens: {token, expires, expiresIn}}` with the cookie `__refresh_token`
//! (`HttpOnly; SameSite=Lax; Path=/`); a sign-in also sets `vestibule_locale`, the language in
//! which mails for this device are written. `fingerprint` is `{fingerprint, os, browser, …}`;
//! a session whose sign-in had none is not bound to a device.
//!
//! | Endpoint | Answers |
//! |---|---|
//! | `POST /login {email, password, fingerprint}` | 200 `S`; 200 `{otpRequired, email, methods}`; 401 `INVALID_CREDENTIALS`; 403 `ACCOUNT_BLOCKED`; 423 `ACCOUNT_LOCKED` after ten failures; 429 |
//! | `POST /register {name, email, password, fingerprint, locale?}` | 201 `S`, or as [`Registration`] says; 409 `EMAIL_TAKEN`; 429. `locale` is the only field beyond the contract |
//! | `POST /verify-otp {email, code, fingerprint}` | 200 `S`; 400 `OTP_INVALID`; 410 `OTP_EXPIRED`, also where no code is pending for this account on this device; 423 `OTP_TOO_MANY` at the fifth wrong code, `ACCOUNT_LOCKED` after ten wrong codes over several sign-ins (only a right code resets that count); 429 |
//! | `POST /verify-totp`, `POST /verify-recovery` | the same for a code of an authenticator app, and for a recovery code, which works once |
//! | `POST /resend-otp {email, fingerprint}` | 204, also for the first mail of an account with an authenticator app; 410; 423; 429 with `Retry-After` within [`Config::resend_interval`] |
//! | `POST /refresh-token {fingerprint}` | 200 `S`; 401 `TOKEN_MISSING`, `TOKEN_INVALID`, `TOKEN_EXPIRED`, `REFRESH_REUSED`, `SESSION_REVOKED`, `SESSION_ENDED` (signed out); 403 `DEVICE_MISMATCH`; 429 |
//! | `POST /logout` | 204, also twice; 401 without a token of this backend; deletes the cookie in every case |
//! | `GET /sessions`, `DELETE /sessions/{id}`, `POST /logout-all` | 200 `[{id, device, createdAt, lastUsedAt, current}]`; 204 or 404; 204 |
//! | `GET /me` | 200 `{user}` |
//! | `GET /plans`, `GET /plans/{slug}` | public; 404 |
//! | `POST /plans/{slug}/purchase` | 201 `{id, plan, purchasedAt}`; 200 with the same purchase if there is one already |
//! | `GET /transfer?bytes=N` | 200 with that many bytes, for signed-in callers: each group of four bytes is its own index, little-endian; 413 beyond [`Config::transfer_limit`] |
//! | `POST /transfer` | any body: 200 `{bytes, sha256}`; the body is not stored; 413 |
//! | `GET /admin/users` | 200 `{users}` for the role `admin`; 403 `FORBIDDEN` |
//! | `GET /public/news` | public: 200 `[{date, title, text}]`, newest first |
//! | `GET /health` | 200 `{status: "ok"}` |
//! | `GET /demo-accounts`, `GET /mailbox`, `GET /mailbox.json` | with [`Config::demo`] only, and only under a loopback `Host` |
//! | `GET`, `POST`, `DELETE /faults`, `DELETE /faults/{id}` | with [`Config::faults`] only, and only under a loopback `Host`; the body of a POST is a [`Fault`] |
//!
//! Endpoints that need a bearer token answer 401 `ACCESS_MISSING`, `ACCESS_INVALID` or
//! `ACCESS_EXPIRED`; once the session has ended, with the code that a refresh gets.
//!
//! There are no CORS headers, on purpose: the client is native. A browser therefore does not let
//! a page of another site read the answers.
//!
//! # Rotation
//!
//! Tokens are random, stored as SHA-256, and used once. A successor is a keyed hash of its parent
//! and a stored nonce. A client that sends the parent again within [`Config::grace`], from the
//! same device and before the successor is first used, therefore gets the same successor, and no
//! readable token has to be stored for that. Any other second use ends the family, however old
//! the token is. A request from another device changes nothing.
//!
//! # Output
//!
//! The program prints its address, and each code that a mail server would have sent, on standard
//! output. Nothing else that it prints or logs holds a secret.

mod access;
mod accounts;
mod app;
mod attempts;
mod backend;
mod clock;
mod config;
mod cookies;
mod demo;
mod dispatch;
mod error;
mod faults;
mod input;
mod limits;
mod mailbox;
mod otp;
mod password;
mod recovery;
mod request_log;
mod routes;
mod secret;
mod server;
mod sessions;
mod socket;
mod store;
mod totp;

pub use backend::{Backend, SessionRecord, StartError};
pub use config::{Carrier, Config, DeviceBinding, Hashing, Registration};
pub use faults::{Cut, Effect, Fault, FaultId, FaultList, Point, When};
pub use request_log::RecordedRequest;
