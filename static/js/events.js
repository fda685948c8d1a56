// @ts-check
/** What a session takes and tells, as words and types. For checks and tests; no browser loads this. */

/** Frames from the server. A client ignores a type that it does not know. */
export const SERVER_FRAMES = /** @type {const} */ ([
  'hello', 'rotated', 'expiring', 'extended', 'ended', 'sessions',
  'hold', 'resume', 'drain', 'message', 'pong', 'error',
]);

/** Frames from a client. */
export const CLIENT_FRAMES = /** @type {const} */ (['ping', 'activity', 'message']);

/** What a session tells of its own accord. */
export const OWN_EVENTS = /** @type {const} */ (['offline', 'unverified', 'verified', 'unanswered']);

/**
 * @typedef {object} Options
 * @property {string | URL} url where the sockets are
 * @property {string} [session] the id of the session that this page was made for; when the browser
 *   turns out to have another one, this one has ended. Left out: the first that the server names.
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
 * @property {{restored: boolean}} unverified
 * @property {{session: Session}} verified
 * @property {{restored: boolean}} unanswered
 */

/** @typedef {<Type extends keyof Events>(type: Type, act: (fields: Events[Type]) => void) => void} On */
