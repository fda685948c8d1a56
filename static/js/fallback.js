// @ts-check
/**
 * When to ask over HTTP while nothing comes through the socket: so often that an end is seen within half
 * a minute, and at the moment when the session times out. One tab asks, and tells the others. A hidden
 * page waits; when it is looked at again, it asks anyway. An answer alone does not say that sockets are
 * blocked: the page may only be waiting for its next attempt.
 */

import { REASON } from './protocol.js';

const EVERY_MS = 14_000;
const SPREAD_MS = 7_000; // of many tabs one is the first, and the others hear of it
const JITTER_MS = 1_000;
const PATIENT_MS = 10_000; // longer waits are the server's wish
const LONGEST_WARNING_MS = 120_000; // as the server warns: two minutes, or a fifth of the shorter timeout

/** @typedef {{reason: string, warnAt: number, at: number} & import('./events.js').Deadlines} End */

export class Fallback {
  isOn = false;
  /** @type {End | undefined} when the session ends by itself, as the last answer since the last frame said */
  end;
  #works = true; // HTTP does, as far as known since the last frame; the page itself has just come over it
  #isBlocked = false; // an attempt failed while HTTP worked, and HTTP still works
  #ask;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {() => void} ask is called when it is time to ask */
  constructor(ask) {
    this.#ask = ask;
  }

  /** @param {number} ms from now, unless it is on already */
  start(ms) {
    if (!this.isOn) this.#after(ms);
    this.isOn = true;
  }

  /**
   * Starts after a loss. An attempt that fails while HTTP works is a sign that sockets are blocked; a question
   * at once checks it. A hidden page asks nothing, so its attempts are no sign.
   * @param {number} ms until the next attempt
   * @param {boolean} isAsked whether the server said when to come back, and so let the socket through
   */
  lost(ms, isAsked) {
    const isSign = this.#works && !isAsked && !globalThis.document?.hidden;
    if (isSign) this.isOn = this.#isBlocked;
    this.#isBlocked = isSign;
    this.start(isSign ? 0 : isAsked ? ms : Math.min(ms, PATIENT_MS));
  }

  /**
   * Returns whether it is known what works: nothing, or HTTP without sockets.
   * @param {boolean} answered whether HTTP does
   */
  isSure(answered) {
    this.#works = answered;
    this.#isBlocked &&= answered;
    return this.#isBlocked === answered;
  }

  /** Stops, as a frame came or the session is over. After the next loss HTTP must show anew that it works. */
  stop() {
    this.isOn = this.#works = this.#isBlocked = false;
    this.end = undefined; // somebody may act, and the socket tells what comes of it
    clearTimeout(this.#timer);
  }

  /**
   * Waits for the next time after an answer, also one that another tab got.
   * @param {End} [end] what it said
   */
  again(end = this.end) {
    this.end = end;
    const left = [end?.warnAt, end?.at].map((at = 0) => at - Date.now()).filter((ms) => ms > 0);
    if (this.isOn) this.#after(Math.min(EVERY_MS + Math.random() * SPREAD_MS, ...left));
  }

  /** @param {number} ms */
  #after(ms) {
    clearTimeout(this.#timer);
    const act = () => (globalThis.document?.hidden ? this.again() : this.#ask());
    this.#timer = setTimeout(act, ms + Math.random() * JITTER_MS);
  }
}

/**
 * Returns when a session ends by itself, and when to warn of it, on this machine's clock.
 * @param {Record<'created_at' | 'last_active_at' | 'idle_expires_at' | 'absolute_expires_at', number>} session
 * @param {string | null} date when the server answered: its `Date` header
 * @returns {End}
 */
export function endOf({ created_at, last_active_at, idle_expires_at, absolute_expires_at }, date) {
  const at = 1_000 * Math.min(idle_expires_at, absolute_expires_at) + Date.now() - (Date.parse(date ?? '') || Date.now());
  const fifth = 200 * Math.min(idle_expires_at - last_active_at, absolute_expires_at - created_at);
  const reason = idle_expires_at < absolute_expires_at ? REASON.IDLE_TIMEOUT : REASON.ABSOLUTE_TIMEOUT;
  return { reason, at, warnAt: at - Math.min(fifth, LONGEST_WARNING_MS), idle_expires_at, absolute_expires_at };
}
