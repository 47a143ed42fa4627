// Signing in and out, reading the session, and calling the backend with it.

import { codeOf } from "./codes.ts";
import type { BackendFetch } from "./fetch/backend-fetch.ts";
import { counted } from "./fetch/progress.ts";
import { commands } from "./ipc/commands.ts";
import type {
  AuthError,
  BrowserSignInInput,
  Challenge,
  LoginInput,
  LogoutReply,
  OpenedLink,
  OtpInput,
  RegisterInput,
  SessionList,
  SessionState,
  SignInOutcome,
} from "./ipc/wire.ts";
import type { Messages } from "./messages.ts";
import { failure, type Result, result } from "./result.ts";
import type { SessionRead } from "./session-read.ts";
import { type SnapshotStore, stateOf } from "./snapshots.ts";

export type Auth = ReturnType<typeof createAuth>;

/** A code, and what belongs to it. */
export type OtpAnswer = Omit<OtpInput, "challenge"> & { challenge?: string };

/** The id of no challenge: the plugin says in words that there is none. */
const NO_CHALLENGE = "00000000-0000-0000-0000-000000000000";

/**
 * What an instance has for its session. A verb that returns a `Result` never rejects. `fetch` rejects
 * where there is no response, and `getSession` where its signal is aborted.
 */
export function createAuth(
  snapshots: SnapshotStore,
  messages: Messages,
  backendFetch: BackendFetch,
) {
  const state = (): SessionState => stateOf(snapshots.get());

  /** The result of a verb that changes the state where it succeeds, or where it ends a step of a sign-in. */
  async function changing<T>(verb: () => Promise<T>): Promise<Result<T>> {
    const found = snapshots.get();
    const done = await result(verb);
    const { status } = state();
    if (!done.error || status === "otp_pending" || status === "browser_pending") {
      snapshots.expectChange(found);
    }
    return done;
  }

  return {
    /**
     * Subscribes to the session and reads it. Call it once, and again where the snapshot says that it
     * has failed. It never rejects.
     */
    start: snapshots.start,

    login: (typed: LoginInput): Promise<Result<SignInOutcome>> =>
      changing(() => commands.login(loginInput(typed))),
    register: (typed: RegisterInput): Promise<Result<SignInOutcome>> =>
      changing(() => commands.register(registerInput(typed))),
    /**
     * Answers the challenge of this id and no other; without an id, the one that is open now. Without a
     * method the code is one of the first method that the challenge offers.
     */
    verifyOtp: (answer: OtpAnswer): Promise<Result<SignInOutcome>> =>
      changing(() => commands.verifyOtp(otpInput(answer, state()))),
    /** Has a code sent for the open challenge: the first one, or another one. */
    sendOtp: (): Promise<Result<Challenge>> => result(commands.sendOtp),
    cancelOtp: (): Promise<Result<null>> => changing(commands.cancelOtp),
    /**
     * Signs in by the system's browser, or on another device by a code. `browser` of what the backend offers names the
     * buttons; without one it is the first. The state is `browser_pending` at once, and the result
     * comes when the sign-in has ended, which may take minutes. Its error has the code
     * `browser_sign_in_over` where the sign-in was given up here or another one has replaced it: there
     * is nothing to say then.
     */
    signInByBrowser: (chosen: BrowserSignInInput = {}): Promise<Result<SignInOutcome>> =>
      changing(() => commands.signInByBrowser(browserInput(chosen))),
    /** Opens the browser once more, at the same address. */
    openBrowserAgain: (): Promise<Result<null>> => result(commands.openBrowserAgain),
    /** Puts the address that the browser opens on the clipboard. No page gets it. */
    copyBrowserAddress: (): Promise<Result<null>> => result(commands.copyBrowserAddress),
    /** Gives the sign-in outside of the app up. */
    cancelBrowserSignIn: (): Promise<Result<null>> => changing(commands.cancelBrowserSignIn),
    /** Asks the plugin to refresh now. What came of it is seen in the state. */
    refresh: (): Promise<Result<null>> => result(commands.refresh),
    /** Makes the plugin try the keyring at once. What came of it is seen in the state. */
    unlockKeyring: (): Promise<Result<null>> => result(commands.unlockKeyring),
    logout: (): Promise<Result<LogoutReply>> => changing(commands.logout),

    /**
     * Opens a link that a person has pasted, where the system does not hand it over. What it is for is in
     * the answer; nothing has been done for a link that asks to join a workspace.
     */
    openLink: (pasted: string): Promise<Result<OpenedLink>> =>
      result(() => commands.openLink(pasted)),

    /** Reads the list of the account's sessions, on this computer and elsewhere. */
    listSessions: (): Promise<Result<SessionList>> => result(commands.sessions),
    /** Ends a session of that list by its `id`. To end the current one is to sign out. */
    endSession: (id: string): Promise<Result<null>> => result(() => commands.endSession(id)),
    /** Ends all sessions of the account but the current one. */
    endOtherSessions: (): Promise<Result<null>> => result(commands.endOtherSessions),

    /** Reads the session without a request. Waits until the session is restored. */
    getSession: async (signal?: AbortSignal | null): Promise<SessionRead | null> => {
      signal?.throwIfAborted();
      return snapshots.read(snapshots.settledNow() ?? (await snapshots.settled(signal)));
    },

    /**
     * Calls the backend's API with the user's session, or without one where nobody is signed in, and
     * returns a real `Response`.
     */
    fetch: backendFetch,
    /** The same response, whose body reports its progress while it is read. */
    counted,
    /** The failure that an error thrown by `auth.fetch` stands for. */
    failure,
    /**
     * The failure that an answer of the backend reports by its status. A 401 does not mean that the
     * session has ended: the plugin refreshes the session and repeats the call first, and if the
     * session has ended it rejects the call instead of answering it.
     */
    refusal: (response: Response): AuthError => {
      const { status } = response;
      const isSignedOut = status === 401 && state().status !== "signed_in";
      const { code, message } = isSignedOut
        ? messages.failures.notSignedIn
        : messages.ofStatus(status);
      // The plugin writes it in whole seconds.
      const seconds = response.headers.get("retry-after");
      const retryAfterMs = seconds === null ? null : Number(seconds) * 1000;
      return { code, status, message, retryAfterMs };
    },

    /** The current state, for code outside React. */
    state,
    subscribe: snapshots.subscribe,
    /** The moment `inMs` after a part of the state has arrived, by `performance.now()`. */
    dueAt: snapshots.dueAt,
  };
}

// What a person has typed is put in order here and nowhere else. Only the members that the command
// knows are taken, because it refuses others.

/** The e-mail is trimmed. The password is not changed, since spaces may be part of it. */
function loginInput({ email, password, fingerprint }: LoginInput): LoginInput {
  return { email: email.trim(), password, fingerprint };
}

function registerInput({ name, more, ...rest }: RegisterInput): RegisterInput {
  return { name: name.trim(), ...loginInput(rest), more };
}

function browserInput({ button, device }: BrowserSignInInput): BrowserSignInInput {
  return { button, device };
}

/** The code is read as its method has them. */
function otpInput(
  { challenge, code, method, trustDevice }: OtpAnswer,
  state: SessionState,
): OtpInput {
  const open = state.status === "otp_pending" ? state.challenge : null;
  const offered = open?.methods.find((offered) => offered.method === method) ?? open?.methods[0];
  return {
    challenge: challenge ?? open?.id ?? NO_CHALLENGE,
    code: codeOf(code, offered?.form ?? { letters: method === "recovery" }),
    method,
    trustDevice,
  };
}
