// @ts-check
/** The frames and events of a session, as words and types. For type checks and tests; no page loads it. */

/** Frames from the server. A client ignores types that it does not know. */
export const SERVER_FRAMES = /** @type {const} */ ([
  'hello', 'rotated', 'expiring', 'extended', 'ended', 'sessions',
  'hold', 'resume', 'drain', 'message', 'pong', 'error',
]);

/** Frames from a client. */
export const CLIENT_FRAMES = /** @type {const} */ (['ping', 'activity', 'message']);

/** Events that come from the client itself, not from a frame. */
export const OWN_EVENTS = /** @type {const} */ (['offline', 'checked', 'unverified', 'verified', 'unanswered']);

/**
 * @typedef {object} Options
 * @property {string | URL} url the address of the WebSocket
 * @property {string} [session] the id of the session that this page was made for. When the browser
 *   turns out to have another one, this one has ended. By default, the first that the server names.
 */

/** @typedef {{id: string, user: string | null, generation: number}} Session */

/** @typedef {{idle_expires_at: number, absolute_expires_at: number}} Deadlines in Unix seconds */

/**
 * @typedef {object} Events the `detail` of each event; docs/howto/use-the-browser-client.md explains them
 * @property {Deadlines & {connection: string, session: Session, now: number,
 *   retry: {min_ms: number, max_ms: number}}} hello
 * @property {{from: string, data: any}} message
 * @property {{generation: number}} rotated
 * @property {{reason: string, in_ms: number}} expiring
 * @property {Deadlines} extended
 * @property {{reason: string, event: string | null, at: number}} ended
 * @property {{}} sessions
 * @property {{}} hold
 * @property {{}} resume
 * @property {{reconnect_in_ms: number}} drain
 * @property {{}} pong
 * @property {{code: string, detail: string}} error
 * @property {{code: number, retry_in_ms: number | null}} offline
 * @property {{answered: boolean}} checked
 * @property {{restored: boolean}} unverified
 * @property {{session: Session}} verified
 * @property {{restored: boolean}} unanswered
 */

/** @typedef {<Type extends keyof Events>(type: Type, act: (fields: Events[Type]) => void) => void} On */
