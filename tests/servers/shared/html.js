// The pages of a sign-in, as plain HTML: a form, and hidden fields in it.

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escape(text) {
  return String(text).replace(/[&<>"]/g, (sign) => ESCAPES[sign]);
}

/** A page that asks for an e-mail address and a password. */
export function askForPassword(action, { hidden = {}, failed = false } = {}) {
  const fields = `<input name="email" type="email"><input name="password" type="password">`;
  return page(action, `${failed ? "<p>That is not right.</p>" : ""}${fields}`, hidden, "Sign in");
}

/** A page with a question and one button. */
export function ask(action, question, hidden = {}) {
  return page(action, `<p>${escape(question)}</p>`, hidden, "Continue");
}

function page(action, content, hidden, button) {
  const kept = Object.entries(hidden).map(
    ([name, value]) => `<input type="hidden" name="${escape(name)}" value="${escape(value)}">`,
  );
  return `<!doctype html><title>Sign in</title><form method="post" action="${escape(action)}">
${kept.join("")}${content}<button type="submit">${button}</button></form>`;
}

/** The fields of a form that was sent. */
export async function fields(request) {
  let text = "";
  for await (const part of request) text += part;
  return Object.fromEntries(new URLSearchParams(text));
}

/** Answers with a page. */
export function show(response, html) {
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(html);
}
