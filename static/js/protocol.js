// @ts-check
/** The words of the wire: what the server and every client agree on. Nothing here acts. */

export const SUBPROTOCOL = 'curfew.v1';

/** Frames from the server. A client ignores a type it does not know. */
export const SERVER_FRAMES = Object.freeze([
  'hello', 'rotated', 'expiring', 'extended', 'ended', 'sessions',
  'hold', 'resume', 'drain', 'message', 'pong', 'error',
]);

/** Frames from a client. */
export const CLIENT_FRAMES = Object.freeze(['ping', 'activity', 'message']);

export const CLOSE = Object.freeze({
  SESSION_ENDED: 4401,
  NOT_ALLOWED: 4403,
  TIMED_OUT: 4408,
  UNVERIFIED: 4503,
  TOO_SLOW: 4508,
  POLICY: 1008,
  TOO_BIG: 1009,
  DRAIN: 1012,
  OVERLOAD: 1013,
});

/** Why a session ended, as one says it to the person it belonged to: the same sentences as the server's. */
export const REASONS = Object.freeze({
  logout: 'You logged out.',
  terminated: 'This session was ended from another one of your sessions.',
  admin: 'An administrator ended this session.',
  credential_changed: 'Your password was changed. Sign in with the new one.',
  account_disabled: 'This account was disabled.',
  session_limit: 'You signed in on more devices than allowed, so the least recently used session was ended.',
  token_reuse: 'An old copy of this session\'s cookie was used. To be safe, the session was ended everywhere. '
    + 'If that was not you, change your password.',
  idle_timeout: 'Nothing happened for a while, so you were signed out.',
  absolute_timeout: 'This session reached its longest allowed time.',
  superseded: 'You signed in again in this browser; the new session replaced this one.',
});

/**
 * The sentence for a reason word.
 * @param {string} reason
 */
export function describeReason(reason) {
  return Object.hasOwn(REASONS, reason)
    ? REASONS[/** @type {keyof typeof REASONS} */ (reason)]
    : 'Your session has ended.';
}

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
