// @ts-check
/**
 * A WebSocket that reconnects after a random wait, so that many clients never come back all at once. The
 * server names the window for the wait. Its upper end doubles with each failure, and is at its maximum at
 * once while the page is hidden or offline. Only a connection that lived for some time makes it small
 * again, because a server may send `hello` and then crash.
 */

import { CLOSE, RETRY, SUBPROTOCOL, isFinal } from './protocol.js';

const WIDEST_MS = 30_000;
const HEALTHY_AFTER_MS = 5_000;
const ANSWERS_WITHIN_MS = 10_000;
const HELD_AT_MOST_MS = 60_000; // twice as long as a server holds; after that no close frame will come

export class Connection {
  #url;
  #hear;
  #lose;
  /** @type {WebSocket | undefined} */
  #socket;
  #window = RETRY; // until `hello` names the server's own
  #failures = 0;
  #greetedAt = Infinity;
  #retryAt = 0;
  /** @type {number | undefined} the wait that the server asked for */
  #asked;
  #isHeld = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} the next attempt, or the end of the wait for a frame */
  #timer;

  /**
   * @param {URL} url
   * @param {(frame: any) => void} hear
   * @param {(code: number, reason: string, retry_in_ms: number | null) => void} lose
   */
  constructor(url, hear, lose) {
    this.#url = url;
    this.#hear = hear;
    this.#lose = lose;
    this.#connect();
  }

  /**
   * Sends a frame; returns false if it cannot. While the server holds, nothing is sent, because the
   * server may close the connection without reading it.
   * @param {object} frame
   */
  write(frame) {
    if (this.#isHeld || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** Sends a `ping`, which must be answered soon. Returns false if there is no connection, or it is held. */
  probe() {
    const isOpen = this.write({ type: 'ping' });
    if (isOpen) this.#expectFrame();
    return isOpen;
  }

  /** Reconnects sooner, unless the server said when. */
  hurry() {
    const ms = this.#draw();
    if (this.#asked === undefined && Date.now() + ms < this.#retryAt) this.#comeBackIn(ms);
  }

  close() {
    const socket = this.#socket;
    this.#socket = undefined;
    clearTimeout(this.#timer);
    socket?.close(1000);
  }

  #connect() {
    const socket = new WebSocket(this.#url, SUBPROTOCOL);
    this.#socket = socket;
    this.#asked = undefined;
    this.#retryAt = 0;
    this.#expectFrame();
    socket.onmessage = ({ data }) => socket === this.#socket && this.#receive(JSON.parse(data));
    socket.onclose = ({ code, reason }) => socket === this.#socket && this.#lost(code, reason);
  }

  /** @param {any} frame */
  #receive(frame) {
    clearTimeout(this.#timer);
    this.#isHeld = frame.type === 'hold';
    if (this.#isHeld) this.#expectFrame(HELD_AT_MOST_MS);
    if (frame.type === 'drain') this.#asked = frame.reconnect_in_ms;
    if (frame.type === 'hello') [this.#window, this.#greetedAt] = [frame.retry, Date.now()];
    this.#hear(frame);
  }

  #lost(code = 1006, reason = '') {
    this.close();
    if (isFinal(code)) return this.#lose(code, reason, null);
    if (Date.now() - this.#greetedAt >= HEALTHY_AFTER_MS) this.#failures = 0;
    this.#greetedAt = Infinity;
    if (code === CLOSE.OVERLOAD) this.#asked = this.#draw(Infinity, this.#window.max_ms);
    const ms = this.#asked ?? this.#draw(2 ** this.#failures);
    this.#failures += 1;
    this.#comeBackIn(ms);
    this.#lose(code, reason, ms);
  }

  #comeBackIn(ms = 0) {
    this.#retryAt = Date.now() + ms;
    this.#after(ms, () => this.#connect());
  }

  #expectFrame(ms = ANSWERS_WITHIN_MS) {
    this.#after(ms, () => this.#lost());
  }

  #draw(growth = 1, lower = this.#window.min_ms) {
    const { max_ms } = this.#window;
    const isPatient = globalThis.document?.hidden || globalThis.navigator?.onLine === false;
    const upper = Math.min(isPatient ? Infinity : max_ms * growth, Math.max(max_ms, WIDEST_MS));
    return lower + Math.random() * (upper - lower);
  }

  /** @type {(ms: number, act: () => void) => void} */
  #after(ms, act) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, ms);
  }
}
