// @ts-check
/** The words of the wire: what the server and every client agree on. Nothing here acts. */

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

/** Where a client comes back when no `hello` has said where yet. */
export const RETRY = { min_ms: 500, max_ms: 5_000 };

/** The reason words that a client itself has to know. */
export const REASON = { IDLE_TIMEOUT: 'idle_timeout', SUPERSEDED: 'superseded' };

/** The header that says of a request that nobody is behind it. */
export const NO_ACTIVITY = { 'Curfew-Activity': 'none' };

/**
 * Whether a close code means: do not come back by yourself. 44xx say so; after the two others the
 * same client would do the same again.
 * @param {number} code
 */
export const isFinal = (code) => (code >= 4400 && code <= 4499) || code === CLOSE.POLICY || code === CLOSE.TOO_BIG;

/**
 * Whether a close code means that the session itself is over.
 * @param {number} code
 */
export const isSessionEnd = (code) => code === CLOSE.SESSION_ENDED || code === CLOSE.TIMED_OUT;
