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

/** Why a session ended, as one says it to the person it belonged to. */
export const REASONS = Object.freeze({
  logout: 'You have logged out.',
  terminated: 'This session was ended from another of your sessions.',
  admin: 'An administrator ended this session.',
  credential_changed: 'Your password was changed, so this session was ended.',
  account_disabled: 'This account has been disabled.',
  session_limit: 'You signed in on more devices than allowed, so the oldest session was ended.',
  token_reuse: 'An outdated copy of this session was used. To protect you, it was ended everywhere.',
  idle_timeout: 'You were signed out because nothing happened for a while.',
  absolute_timeout: 'This session reached its longest duration. Please log in again.',
  superseded: 'This session was replaced by a newer sign-in.',
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
 * Whether a close code means: do not come back by yourself.
 * @param {number} code
 */
export const isFinal = (code) => code >= 4400 && code <= 4499;

/**
 * Whether a close code means that the session itself is over.
 * @param {number} code
 */
export const isSessionEnd = (code) => code === CLOSE.SESSION_ENDED || code === CLOSE.TIMED_OUT;
