// @ts-check
/** The constants of the wire protocol, the same as in the server. */

export const SUBPROTOCOL = 'curfew.v1';

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
export const REASON = { IDLE_TIMEOUT: 'idle_timeout', SUPERSEDED: 'superseded' };

/** The header of a request that no person caused. */
export const NO_ACTIVITY = { 'Curfew-Activity': 'none' };

/**
 * Returns whether a client must not reconnect by itself after this close code. 44xx forbid it; after
 * the two others the same client would make the same mistake again.
 * @param {number} code
 */
export const isFinal = (code) => (code >= 4400 && code <= 4499) || code === CLOSE.POLICY || code === CLOSE.TOO_BIG;

/**
 * Returns whether a close code means that the session itself has ended.
 * @param {number} code
 */
export const isSessionEnd = (code) => code === CLOSE.SESSION_ENDED || code === CLOSE.TIMED_OUT;
