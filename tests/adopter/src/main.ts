import { createVestibule } from "vestibule";

const { auth, desktop, messages, snapshots } = createVestibule();

const find = (selector: string) => document.querySelector(selector) as HTMLElement;
const say = (text = "") => find("[role=alert]").replaceChildren(text);
const form = find("form") as HTMLFormElement;

function whyUnknown() {
  const snapshot = snapshots.get();
  if (snapshot.kind === "failed") return snapshot.message || "The app does not answer.";
  const state = auth.state();
  if (state.status !== "restoring") return "";
  const keyring = messages.keyring(state);
  if (keyring) return `${keyring.title}. ${keyring.text}`;
  const { outage } = state;
  return outage && (outage.why ? messages.obstacle(outage.why) : "The server cannot be reached.");
}

function show() {
  const state = auth.state();
  const why = whyUnknown();
  find("[role=status]").textContent = why;
  form.hidden = state.status === "restoring" || state.status === "signed_in";
  find("main").hidden = state.status !== "signed_in";
  find("h1 span").textContent = state.status === "signed_in" ? state.user.name : "";
  find("output").textContent = "";
  if (why || state.status !== "restoring") desktop.windowReady();
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const typed = (name: string) => String(new FormData(form).get(name));
  const { data, error } = await auth.login({ email: typed("email"), password: typed("password") });
  form.reset();
  if (error) say(messages.describe(error));
  else say(data.outcome === "otp_required" ? "This account wants a code." : "");
});

find("#ask").addEventListener("click", async () => {
  try {
    const response = await auth.fetch("/me");
    if (!response.ok) throw auth.refusal(response);
    find("output").textContent = (await response.json()).user.email;
  } catch (cause) {
    say(messages.describe(auth.failure(cause)));
  }
});

find("#leave").addEventListener("click", () => auth.logout());

auth.subscribe(show);
auth.start();
