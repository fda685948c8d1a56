// @ts-check
/** The constants of the wire protocol, the same as in the server. */

export const SUBPROTOCOL = 'curfew.v1';

/** The path of the host below which Curfew is, as this file is; empty for the whole host. */
export const BASE = /^https?:\/\/[^/]+(.*)\/static\/js\/[^/]+$/.exec(import.meta.url)?.[1] ?? '';

/** The channel on which the tabs of a browser hear each other, and the lock that one of them holds. */
export const TABS = `curfew${BASE}`;

/**
 * Returns the address of a path of Curfew's, with the base path before it. Other addresses stay as they are.
 * @param {string} path
 */
export const at = (path) => (/^\/(?!\/)/.test(path) && !`${path}/`.startsWith(`${BASE}/`) ? BASE + path : path);

export const CLOSE = {
  SESSION_ENDED: 4401,
  NOT_ALLOWED: 4403,
  TIMED_OUT: 4408,
  UNVERIFIED: 4503,
  TOO_SLOW: 4508,
  PROTOCOL: 1002,
  POLICY: 1008,
  TOO_BIG: 1009,
  DRAIN: 1012,
  OVERLOAD: 1013,
};

/** The window for the wait before reconnecting, until a `hello` names another one. */
export const RETRY = { min_ms: 500, max_ms: 5_000 };

/** The reason words that the client itself uses. */
export const REASON = { IDLE_TIMEOUT: 'idle_timeout', ABSOLUTE_TIMEOUT: 'absolute_timeout', SUPERSEDED: 'superseded' };

/** The header of a request that no person caused. */
export const NO_ACTIVITY = { 'Curfew-Activity': 'none' };

/**
 * Returns whether a client must not reconnect by itself after this close code. 44xx forbid it; after
 * the two others the same client would make the same mistake again.
 * @param {number} code
 */
export const isFinal = (code) => (code >= 4400 && code <= 4499) || code === CLOSE.POLICY || code === CLOSE.TOO_BIG;

/**
 * Returns whether a server that let the socket in says with this close code when to come back.
 * @param {number} code
 */
export const asksToWait = (code) => code === CLOSE.DRAIN || code === CLOSE.OVERLOAD;

/**
 * Returns whether a close code means that the session itself has ended.
 * @param {number} code
 */
export const isSessionEnd = (code) => code === CLOSE.SESSION_ENDED || code === CLOSE.TIMED_OUT;
