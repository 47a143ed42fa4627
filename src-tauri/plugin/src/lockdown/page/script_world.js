/**
 * Sends the page's calls to the app, from a world of scripts that the page cannot reach. The page
 * hands each call over as an event of the document (`page_calls.js`) and gets the answer in another.
 * An event's `detail` is copied between the worlds, so that neither can change what the other reads.
 */
const sendPageCalls = ({ boundedFetch, refusal, isShell }) => {
  // The engine ends the requests of a page that is being left, which then has no use for an answer.
  const LEAVING_MS = 1000;

  // The page's policy does not bind the scripts of this world, so they keep to its own pages.
  const isOwnPage = (address) => {
    const { protocol, host } = new URL(address);
    return protocol === location.protocol && host === location.host;
  };

  const whole = async (response) => {
    const { status, statusText, redirected, url } = response;
    const answer = { status, statusText, redirected, url, headers: [...response.headers] };
    return { ...answer, body: await response.arrayBuffer() };
  };

  /**
   * The answer of a command whose request failed in a page that stays, or whose answer broke off. Tauri
   * would send the command again, by the handler that the page does not have.
   */
  const unanswered = async ({ message }) => {
    await new Promise((resolve) => setTimeout(resolve, LEAVING_MS));
    return whole(refusal("other", null, `The app did not answer (${message}). Try again.`));
  };

  const send = async ({ address, method, headers, body }) => {
    if (!isShell(address) && !isOwnPage(address)) {
      throw new TypeError("A page reaches the app and its own pages, and nothing else.");
    }
    const sent = boundedFetch(address, { method, headers, body }).then(whole);
    return isShell(address) ? sent.catch(unanswered) : sent;
  };

  const answer = (detail) =>
    document.dispatchEvent(new CustomEvent("vestibule:answer", { detail }));

  document.addEventListener("vestibule:call", (event) => {
    // Tells the page that its call has been taken.
    event.preventDefault();
    const { id, call } = event.detail;
    send(call).then(
      (response) => answer({ id, response }),
      ({ message }) => answer({ id, failed: message }),
    );
  });
  document.dispatchEvent(new Event("vestibule:ready"));
};
