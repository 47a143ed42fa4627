/** The longest message to the app, in characters or bytes. */
const MESSAGE = 2 * 1024 * 1024;
