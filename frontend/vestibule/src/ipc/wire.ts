// Generated from src-tauri/core/src/wire.rs by `cargo xtask types`. Do not edit.

/**
 * All accounts of this computer's user, and the answer of the command `accounts`: it may arrive twice
 * or late, so a lower revision is to be ignored.
 */
export type AccountList = { 
/**
 * Grows with each change; starts at 0 with the process.
 */
revision: number, 
/**
 * The account that this window shows; null while none is chosen.
 */
current: string | null, 
/**
 * The accounts, in the order in which they were added.
 */
accounts: Array<AccountSummary>, 
/**
 * The workspaces that an account can be in.
 */
workspaces: Array<WorkspaceSummary>, 
/**
 * How many accounts there may be: 1 where the app offers no more.
 */
most: number, 
/**
 * Whether a person may add a workspace by its address.
 */
adding: boolean, };

/**
 * The person of an account, as a list of accounts shows them.
 */
export type AccountOwner = { 
/**
 * Display name; the e-mail address if the backend has no name.
 */
name: string, 
/**
 * E-mail address.
 */
email: string, 
/**
 * Address of a picture, if the backend names one.
 */
image: string | null, };

/**
 * How an account stands, for a list of accounts.
 */
export type AccountStanding = { "kind": "restoring" } | { "kind": "kept" } | { "kind": "fresh" } | { "kind": "stale" } | { "kind": "locked" } | { "kind": "challenged" } | { "kind": "signed_out", 
/**
 * The reason.
 */
why: SignedOutReason, };

/**
 * One account: one person's session in one workspace.
 */
export type AccountSummary = { 
/**
 * Which account a command means. Made on this computer; no backend knows it.
 */
id: string, 
/**
 * The id of its workspace.
 */
workspace: string, 
/**
 * Whose it is; null where nobody has signed in, or somebody has signed out who did not want to
 * stay in the list.
 */
owner: AccountOwner | null, 
/**
 * How it stands.
 */
standing: AccountStanding, 
/**
 * Whether it stays in the list, with its owner, after a sign-out.
 */
remembered: boolean, };

/**
 * Facts about this app for the window.
 */
export type AppInfo = { 
/**
 * The product's name.
 */
product: string, 
/**
 * Its version.
 */
version: string, 
/**
 * Whether this is a development build.
 */
development: boolean, 
/**
 * The workspace of a command that names none.
 */
workspace: string, 
/**
 * The backend's origin, for people to read.
 */
origin: string, 
/**
 * Whether the user lets failures be reported; null if this app reports none to anybody.
 */
reports: boolean | null, 
/**
 * What the administrator of this computer has set; null where there is no policy.
 */
policy: PolicyInfo | null, };

/**
 * What a failed command answers.
 */
export type AuthError = { 
/**
 * What the page branches on.
 */
code: ErrorCode, 
/**
 * The HTTP status that Better Auth's client reports for this failure.
 */
status: number, 
/**
 * For a person to read.
 */
message: string, 
/**
 * How long to wait before the next try, if that is known.
 */
retryAfterMs: number | null, };

/**
 * What a workspace's backend offers, according to its profile. The window offers nothing else.
 */
export type BackendFeatures = { 
/**
 * Sign-in with a password that is typed in the app.
 */
password: boolean, 
/**
 * Sign-in by the system's browser; null if there is none.
 */
browser: BrowserOffer | null, 
/**
 * Registration of accounts.
 */
register: boolean, 
/**
 * A list of the account's sessions.
 */
sessions: boolean, 
/**
 * Ending one session of that list.
 */
endSession: boolean, 
/**
 * Ending all sessions of the account but this one.
 */
endOtherSessions: boolean, 
/**
 * Ending all sessions of the account at once.
 */
logoutAll: boolean, 
/**
 * What a person signs in with: the label of the field.
 */
identifier: Identifier, };

/**
 * A button that begins a sign-in by the system's browser.
 */
export type BrowserButton = { 
/**
 * What names it to the command that begins the sign-in.
 */
name: string, 
/**
 * Its words, such as `Continue with Google`; null for the page's own.
 */
label: string | null, 
/**
 * A picture for it: a `data:` address.
 */
icon: string | null, };

/**
 * How a person signs in outside of the app.
 */
export type BrowserOffer = { 
/**
 * The buttons that begin it, at least one.
 */
buttons: Array<BrowserButton>, 
/**
 * Whether a code for another device can be had, where no browser is at hand.
 */
device: boolean, };

/**
 * How the browser comes back to the app.
 */
export type BrowserRedirect = "loopback" | "scheme";

/**
 * A sign-in that goes on outside of the app: in the system's browser, or on another device. The
 * address that the browser opens is in Rust alone, because it holds the sign-in's `state` (RFC 6749
 * §10.12).
 */
export type BrowserSignIn = { 
/**
 * New for each.
 */
id: string, 
/**
 * The name of the button that has begun it.
 */
button: string, 
/**
 * That button's label; null if it has none.
 */
label: string | null, 
/**
 * How the browser comes back; null where the sign-in goes on on another device.
 */
redirect: BrowserRedirect | null, 
/**
 * Whether the browser was opened. False until it was, and where it cannot be: the person then
 * copies the address.
 */
opened: boolean, 
/**
 * Whether the browser is back: the person has nothing more to do there, and is about to be signed in.
 */
returned: boolean, 
/**
 * What to type on another device, where the sign-in goes on there; null until the provider has given
 * a code.
 */
device: DeviceCode | null, 
/**
 * How long until it is given up, in milliseconds from when this was sent.
 */
expiresInMs: number, };

/**
 * Which sign-in outside of the app a person has chosen.
 */
export type BrowserSignInInput = { 
/**
 * The button's name; absent means the first.
 */
button?: string, 
/**
 * Whether to sign in on another device, by a code.
 */
device?: boolean, };

/**
 * What last changed the state.
 */
export type Cause = "start" | "login" | "register" | "challenge" | "verify_otp" | "browser" | "refresh" | "logout" | "rejected" | "outage" | "storage";

/**
 * A second factor is needed. Which account it is for stays in Rust and out of URLs.
 */
export type Challenge = { 
/**
 * New for each challenge; a code is sent together with it.
 */
id: string, 
/**
 * Where codes are sent, as the backend says or else as the user typed it.
 */
email: string, 
/**
 * How long until another code may be requested, in milliseconds from when this was sent.
 */
resendInMs: number, 
/**
 * The methods by which it can be answered, the one to show first at first. Never empty.
 */
methods: Array<OfferedMethod>, 
/**
 * For how many days a device that the user trusts needs no code, if that is known.
 */
trustDays: number | null, };

/**
 * What a one-time code looks like.
 */
export type CodeForm = { 
/**
 * How many characters it has; null if that varies.
 */
length: number | null, 
/**
 * Whether it has letters and signs too, and not digits alone.
 */
letters: boolean, };

/**
 * A way to give a second factor.
 */
export type CodeMethod = "otp" | "totp" | "recovery";

/**
 * The code by which a person signs in on another device (RFC 8628 §3.2).
 */
export type DeviceCode = { 
/**
 * What the person types there, as the provider writes it.
 */
code: string, 
/**
 * The address at which it is typed.
 */
address: string, 
/**
 * An address that holds the code already, for a QR code; null if the provider gives none.
 */
completeAddress: string | null, };

/**
 * What a page does something different for. Everything else is `other`: the page shows the
 * message and does nothing more.
 */
export type ErrorCode = "invalid_credentials" | "email_taken" | "rate_limited" | "busy" | "otp_invalid" | "challenge_over" | "browser_sign_in_over" | "path_refused" | "unsupported" | "no_account" | "misconfigured" | "cannot_start" | "internal" | "other";

/**
 * The answer to a [`FetchRequest`] or an [`UploadRequest`]: any status, no `set-cookie`.
 */
export type FetchReply = { 
/**
 * HTTP status.
 */
status: number, 
/**
 * Names are in lower case.
 */
headers: Array<[string, string]>, 
/**
 * The body, if it is text of at most 1 MiB; otherwise empty.
 */
body: string, 
/**
 * Whether the body is to be read piece by piece instead.
 */
streamed: boolean, 
/**
 * How many bytes those pieces have in all, where that is known. The last of them ends the body;
 * otherwise an empty piece does.
 */
length: number | null, };

/**
 * A call to the adopter's API, made with the user's session.
 */
export type FetchRequest = { 
/**
 * Relative to the backend, beginning with `/`, on the profile's allowlist.
 */
path: string, 
/**
 * `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
 */
method: string, 
/**
 * `accept` and `content-type` matter; headers that carry credentials are dropped.
 */
headers: Array<[string, string]>, 
/**
 * Text, usually JSON.
 */
body: string | null, };

/**
 * What was found at an address, before anything is added.
 */
export type FoundWorkspace = { 
/**
 * The backend's address, as it will be used: an origin of https, its host in punycode where it is
 * not ASCII.
 */
address: string, 
/**
 * The host and port in it, for a person to read.
 */
host: string, 
/**
 * Whether the host has letters that are not ASCII, which may look like others.
 */
disguised: boolean, 
/**
 * Whether it answered as the backend of this app does.
 */
fits: boolean, 
/**
 * What was found, in a sentence.
 */
finding: string, 
/**
 * The workspace that has this address already; null where there is none.
 */
known: string | null, };

/**
 * Whether the backend has confirmed what is known of the session.
 */
export type Freshness = { "kind": "fresh" } | { "kind": "stale" } & Outage;

/**
 * What a person signs in with.
 */
export type Identifier = "email" | "name";

/**
 * What one link asks.
 */
export type LinkNotice = { 
/**
 * Which one the command `take_link_notice` means.
 */
id: number, 
/**
 * What it asks.
 */
about: LinkSubject, };

/**
 * What links that were opened from outside the app ask of the person in a window, and the answer of the
 * command `link_notices`: it may arrive twice or late, so a lower revision is to be ignored.
 */
export type LinkNotices = { 
/**
 * Grows with each change; starts at 0 with the process.
 */
revision: number, 
/**
 * The notices that the window's page has not taken yet, the oldest first.
 */
waiting: Array<LinkNotice>, };

/**
 * What a link asks, or why it asks nothing. A page never does it by itself: the link may be anybody's.
 */
export type LinkSubject = { "kind": "join", 
/**
 * The address: an origin, its host in punycode where it is not ASCII.
 */
address: string, } | { "kind": "refused", 
/**
 * Why, in words.
 */
error: AuthError, };

/**
 * One session of the account, on this computer or on another. What the backend does not say is null.
 */
export type ListedSession = { 
/**
 * Which one a command means. Made here, and the same each time the list is read; the backend does
 * not know it.
 */
id: string, 
/**
 * A name for people, such as that of the device.
 */
name: string | null, 
/**
 * The browser or program.
 */
browser: string | null, 
/**
 * The operating system.
 */
os: string | null, 
/**
 * The `User-Agent` of the sign-in.
 */
userAgent: string | null, 
/**
 * The network address of the sign-in.
 */
address: string | null, 
/**
 * When it began, in milliseconds since the epoch.
 */
createdAt: number | null, 
/**
 * When it was last used, in milliseconds since the epoch.
 */
lastUsedAt: number | null, 
/**
 * When it ends, in milliseconds since the epoch.
 */
expiresAt: number | null, 
/**
 * Whether it is this one. To end it is to sign out.
 */
current: boolean, };

/**
 * What a person types to sign in.
 */
export type LoginInput = { 
/**
 * E-mail address.
 */
email: string, 
/**
 * Goes into the backend's request body only.
 */
password: string, 
/**
 * More members for the device payload. Ours replace those with the same name.
 */
fingerprint?: Record<string, unknown>, };

/**
 * Sign-out always ends the session here, so there is nothing else to report.
 */
export type LogoutReply = { 
/**
 * Always true.
 */
success: boolean, };

/**
 * What keeps a request from being answered by the backend. None of these ends a session.
 */
export type Obstacle = "name_unknown" | "refused" | "no_route" | "timed_out" | "broken_off" | "certificate_date" | "certificate_name" | "certificate_issuer" | "certificate" | "not_tls" | "tls_refused" | "not_http" | "proxy_unreachable" | "proxy_password" | "proxy_refused" | "portal" | "maintenance" | "gateway";

/**
 * An obstacle in words, as sentences without their full stops.
 */
export type ObstacleText = { 
/**
 * What is wrong.
 */
problem: string, 
/**
 * What can be done about it, and by whom.
 */
advice: string, 
/**
 * Who can remove the obstacle.
 */
responsible: Responsible, };

/**
 * A method by which a challenge can be answered.
 */
export type OfferedMethod = { 
/**
 * The method.
 */
method: CodeMethod, 
/**
 * What its codes look like.
 */
form: CodeForm, 
/**
 * Whether the backend can be asked to send a code, the first or another.
 */
canBeSent: boolean, 
/**
 * Where a code was sent; null as long as none was.
 */
sentTo: string | null, 
/**
 * Whether the user may have this device trusted, so that it needs no code next time.
 */
canTrustDevice: boolean, };

/**
 * What a link was for that a page has opened: the answer of the command `open_link`.
 */
export type OpenedLink = { "kind": "sign_in" } | { "kind": "join", 
/**
 * The address: an origin, its host in punycode where it is not ASCII.
 */
address: string, };

/**
 * What a person gives to answer a challenge.
 */
export type OtpInput = { 
/**
 * The challenge that the code answers, and no other.
 */
challenge: string, 
/**
 * Goes into the backend's request body only.
 */
code: string, 
/**
 * The method of the code; absent means the first that the challenge offers.
 */
method?: CodeMethod, 
/**
 * Whether the backend is to trust this device. It counts only where the method offers that.
 */
trustDevice?: boolean, };

/**
 * The backend cannot be reached, and when it will be tried again.
 */
export type Outage = { 
/**
 * When the first failed attempt began, in milliseconds since the epoch.
 */
since: number, 
/**
 * How long until the next attempt starts, in milliseconds from when this was sent; `None`
 * while one is under way.
 */
retryInMs: number | null, 
/**
 * Why the last try failed; `None` if that is not known.
 */
why: Obstacle | null, };

/**
 * A value that has no effect.
 */
export type Overridden = { 
/**
 * Its key in the profile.
 */
key: string, 
/**
 * The file that holds it, or another name of its place.
 */
place: string, };

/**
 * What an administrator's policy does. Keys only, because a value may be a secret.
 */
export type PolicyInfo = { 
/**
 * The file, or the key in the registry.
 */
place: string, 
/**
 * The keys of the profile that it sets.
 */
sets: Array<string>, 
/**
 * The keys of the profile that nothing else on this computer may change.
 */
fixes: Array<string>, 
/**
 * The keys of `network` that it sets.
 */
network: Array<string>, 
/**
 * Values elsewhere that have no effect because of it.
 */
overrides: Array<Overridden>, };

/**
 * What a person types to create an account.
 */
export type RegisterInput = { 
/**
 * Display name.
 */
name: string, 
/**
 * E-mail address.
 */
email: string, 
/**
 * Goes into the backend's request body only.
 */
password: string, 
/**
 * More members for the device payload. Ours replace those with the same name.
 */
fingerprint?: Record<string, unknown>, 
/**
 * More members for the request body, for backends that need them.
 */
more?: Record<string, unknown>, };

/**
 * Who can remove an obstacle.
 */
export type Responsible = "you" | "network" | "server";

/**
 * A change of the session, and the answer of the command `session`: a cause and the whole state. It
 * may arrive twice or late, so a lower revision is to be ignored.
 */
export type SessionChanged = { 
/**
 * The workspace's name.
 */
workspace: string, 
/**
 * Grows by one with each change; starts at 0 with the process.
 */
revision: number, 
/**
 * What changed the state.
 */
cause: Cause, 
/**
 * The current state.
 */
state: SessionState, 
/**
 * What the backend offers. It stays the same while the process runs.
 */
offers: BackendFeatures, };

/**
 * The session, without a token, as Better Auth's `useSession()` shows it beside the user.
 */
export type SessionInfo = { 
/**
 * Created here at the sign-in; it is not the backend's id.
 */
id: string, 
/**
 * The same as the user's `id`.
 */
userId: string, 
/**
 * When the refresh cookie expires (ISO 8601), if that is known. Never the end of the access
 * token.
 */
expiresAt: string | null, };

/**
 * The sessions of the account, as the backend lists them.
 */
export type SessionList = { 
/**
 * The sessions, in the backend's order.
 */
sessions: Array<ListedSession>, 
/**
 * How many more the backend lists: those that could not be read, and those beyond the most that
 * are shown.
 */
leftOut: number, };

/**
 * The whole state, as one value.
 */
export type SessionState = { 
/**
 * How its token is stored.
 */
storage: StorageStatus, 
/**
 * What the user's roles let them do in this app, as the profile declares it. While the session
 * is stale it may be outdated, as the roles may. The backend decides.
 */
may: Array<string>, } & ({ "status": "restoring", 
/**
 * Set once an attempt has failed.
 */
outage: Outage | null, 
/**
 * Whether the backend still has to say whose the session is. No user is shown until then.
 */
ownerUnknown: boolean, } | { "status": "signed_out", 
/**
 * The reason.
 */
why: SignedOutReason, } | { "status": "otp_pending", 
/**
 * The open challenge.
 */
challenge: Challenge, } | { "status": "browser_pending", 
/**
 * The sign-in.
 */
signIn: BrowserSignIn, } | { "status": "signed_in", 
/**
 * The user.
 */
user: User, 
/**
 * The user's session.
 */
session: SessionInfo, 
/**
 * Whether the backend has confirmed it.
 */
freshness: Freshness, 
/**
 * Whether the session survives a restart, because the keyring holds its token.
 */
remembered: boolean, });

/**
 * The outcome of a sign-in, a registration or a code.
 */
export type SignInOutcome = { "outcome": "signed_in" } | { "outcome": "otp_required" } | { "outcome": "accepted" };

/**
 * Why nobody is signed in.
 */
export type SignedOutReason = "never" | "by_user" | "expired" | "revoked" | "reuse" | "device_mismatch" | "missing" | "provider_moved";

/**
 * How the refresh token is stored.
 */
export type StorageStatus = "ok" | "memory_only" | "too_large" | "locked" | "absent" | "newer";

/**
 * Light, dark, or as the system has it.
 */
export type Theme = "system" | "light" | "dark";

/**
 * What became of an upload.
 */
export type UploadReply = { "kind": "answer", 
/**
 * The answer.
 */
reply: FetchReply, } | { "kind": "again" };

/**
 * A call to the adopter's API whose body is written piece by piece.
 */
export type UploadRequest = { 
/**
 * As in [`FetchRequest`].
 */
path: string, 
/**
 * As in [`FetchRequest`].
 */
method: string, 
/**
 * As in [`FetchRequest`].
 */
headers: Array<[string, string]>, 
/**
 * How many bytes there will be, if that is known.
 */
length: number | null, 
/**
 * Whether the same bytes can be written once more, after a refresh or a redirect.
 */
replayable: boolean, };

/**
 * The person who is signed in, as the backend describes them.
 */
export type User = { 
/**
 * The backend's identifier, opaque to us.
 */
id: string, 
/**
 * Display name; the e-mail address if the backend has no name.
 */
name: string, 
/**
 * E-mail address.
 */
email: string, 
/**
 * Whether the backend says that the address was verified; false when it does not say.
 */
emailVerified: boolean, 
/**
 * Address of a picture, if the backend names one.
 */
image: string | null, 
/**
 * Role names; empty when the backend has none. A hint for the UI: the backend decides.
 */
roles: Array<string>, };

/**
 * A workspace: a backend, by a name for people.
 */
export type WorkspaceSummary = { 
/**
 * Which one a command means.
 */
id: string, 
/**
 * Its name for people.
 */
name: string, 
/**
 * The backend's host and port as they are looked up, so a host that is not ASCII is in punycode.
 */
host: string, 
/**
 * Whether a person added it on this computer, who may remove it again.
 */
added: boolean, };

/** What stands between the app and its server, in the words of the log and the doctor. */
export const OBSTACLES: Record<Obstacle, ObstacleText> = {
name_unknown: {"problem":"The server's name is not known","advice":"Check that this computer is online, and the server's address","responsible":"you"},
refused: {"problem":"Nothing answers at the server's address","advice":"The server's operator can start it, or say at which address and port it listens","responsible":"server"},
no_route: {"problem":"This computer's network has no route to the server","advice":"Check that this computer is online, and in the network or VPN from which the server can be reached","responsible":"you"},
timed_out: {"problem":"The server did not answer in time","advice":"Try again later. If that does not help, the network's administrator can look for a firewall or a proxy that holds requests up","responsible":"network"},
broken_off: {"problem":"The connection to the server broke off","advice":"Try again. If that does not help, the network's administrator can find out what closes connections","responsible":"network"},
certificate_date: {"problem":"The server's certificate has expired or is not valid yet","advice":"Set the clock of this computer if it is wrong. Otherwise the server's operator can renew the certificate","responsible":"server"},
certificate_name: {"problem":"The server's certificate is for another name","advice":"The server's operator can serve a certificate that names this host. A network that wants you to sign in first looks the same: open a page in a browser","responsible":"server"},
certificate_issuer: {"problem":"The server's certificate is from an authority that this computer does not trust","advice":"Where a company inspects connections, the network's administrator can add its authority to this computer. Otherwise the server's operator can serve the whole chain of an authority that computers trust","responsible":"network"},
certificate: {"problem":"The server's certificate is not accepted","advice":"The server's operator can serve a certificate of an authority that computers trust, with the whole chain and the right name","responsible":"server"},
not_tls: {"problem":"The program at the server's address does not speak TLS","advice":"Check the port of the address. A server on this computer may be given as http://","responsible":"you"},
tls_refused: {"problem":"The TLS handshake with the server failed","advice":"The server's operator can offer TLS 1.2 or 1.3 with a usual cipher, to clients that have no certificate","responsible":"server"},
not_http: {"problem":"The program at the server's address does not speak HTTP","advice":"Check the port of the address. If TLS is spoken there, give it as https://","responsible":"you"},
proxy_unreachable: {"problem":"The proxy cannot be reached","advice":"Check the proxy in the settings of this computer, or in HTTPS_PROXY. The network's administrator knows its address","responsible":"you"},
proxy_password: {"problem":"The proxy wants a user name and a password","advice":"Put them into the proxy's address in the settings of this computer, or in HTTPS_PROXY. The network's administrator gives them out","responsible":"you"},
proxy_refused: {"problem":"The proxy does not connect to the server","advice":"The proxy's administrator can allow the server's address, or have it added to NO_PROXY","responsible":"network"},
portal: {"problem":"A web page came instead of the server's answer","advice":"Open a page in a browser: the network may want you to sign in first. If it does not, the server's operator can find out what answers instead of the server","responsible":"network"},
maintenance: {"problem":"The server is closed for maintenance, or overloaded","advice":"Try again later. Nothing is lost","responsible":"server"},
gateway: {"problem":"The gateway in front of the server gets no answer from it","advice":"Try again later. If that does not help, the server's operator can start it","responsible":"server"},
};

/** The failures that a page finds by itself, as a command would answer them. */
export const FAILURES = {
notSignedIn: {"code":"other","status":401,"message":"Nobody is signed in. Sign in, then try again.","retryAfterMs":null},
sessionRefused: {"code":"other","status":401,"message":"The server does not accept your session for this. You stay signed in. Try again in a moment. If that does not help, sign out and in again.","retryAfterMs":null},
notAllowed: {"code":"other","status":403,"message":"Your account may not do this, the server says. If it should, ask the server's operator.","retryAfterMs":null},
unsupported: {"code":"unsupported","status":501,"message":"The server does not offer this.","retryAfterMs":null},
rateLimited: {"code":"rate_limited","status":429,"message":"The server asks to wait before the next try. Try again when the time is up.","retryAfterMs":null},
backendFault: {"code":"other","status":502,"message":"The server had a problem. Nothing is lost. Try again in a moment.","retryAfterMs":null},
badAnswer: {"code":"other","status":502,"message":"The server sent something this app does not understand. Try again in a moment.","retryAfterMs":null},
tooLarge: {"code":"other","status":413,"message":"That is more than this app takes at once. Try it with less.","retryAfterMs":null},
internal: {"code":"internal","status":500,"message":"Something went wrong inside the app. Try again, or restart it.","retryAfterMs":null},
} satisfies Record<string, AuthError>;

/** The name of such a failure. */
export type FailureName = keyof typeof FAILURES;

/**
 * What the status of an answer to a call means. Those of 400 and 500 are the meanings of every
 * status of their hundred that is not listed.
 */
export const STATUS_MEANINGS: Record<number, { failure: FailureName; obstacle?: Obstacle }> = {
  400: { failure: "badAnswer" },
  401: { failure: "sessionRefused" },
  403: { failure: "notAllowed" },
  404: { failure: "unsupported" },
  429: { failure: "rateLimited" },
  500: { failure: "backendFault" },
  502: { failure: "backendFault", obstacle: "gateway" },
  503: { failure: "backendFault", obstacle: "maintenance" },
  504: { failure: "backendFault", obstacle: "gateway" },
  511: { failure: "badAnswer", obstacle: "portal" },
};
