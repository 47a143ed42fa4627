/**
 * Sends the page's calls to the app, from a world of scripts that the page cannot reach. The page
 * hands each call over as an event of the document (`page_calls.js`) and gets the answer in another.
 * An event's `detail` is copied between the worlds, so that neither can change what the other reads.
 */
const sendPageCalls = ({ boundedFetch, isShell }) => {
  // The page's policy does not bind the scripts of this world, so they keep to its own pages.
  const isOwnPage = (address) => {
    const { protocol, host } = new URL(address);
    return protocol === location.protocol && host === location.host;
  };

  const send = async ({ address, method, headers, body }) => {
    if (!isShell(address) && !isOwnPage(address)) {
      throw new TypeError("A page reaches the app and its own pages, and nothing else.");
    }
    const response = await boundedFetch(address, { method, headers, body });
    const { status, statusText, redirected, url } = response;
    const answered = [...response.headers];
    return { status, statusText, redirected, url, headers: answered, body: await response.arrayBuffer() };
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
