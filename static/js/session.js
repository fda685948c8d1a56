// @ts-check
/**
 * One live connection to the session of this browser.
 *
 *   const session = connectSession({ url: 'wss://example.org/ws' });
 *   session.on('message', ({ from, data }) => …);
 *   session.on('ended', ({ reason }) => …);
 *
 * Each frame of the server is an event of the same name; its fields are in `event.detail`.
 * One event is our own: `offline {code, retry_in_ms}`, with null when no retry will follow.
 *
 * 1. The close codes 44xx, 1008 and 1009 stop for good. Any other close is followed by a new attempt.
 * 2. The wait is drawn evenly from the server's window, whose upper end doubles with each attempt.
 * 3. Only a connection healthy for a while makes the window small again, so that a server which
 *    greets and then falls over is not stormed.
 * 4. `ended` is told once, and nothing is told after it.
 */

import { SUBPROTOCOL, isFinal, isSessionEnd } from './protocol.js';

const HEALTHY_AFTER_MS = 5_000;
const WINDOW_CAP_MS = 30_000;

/** @typedef {{min_ms: number, max_ms: number}} RetryWindow */

/** Used until the first `hello` brings the server's own. */
const FIRST_WINDOW = { min_ms: 500, max_ms: 3_000 };

export class LiveSession extends EventTarget {
  #url;
  /** @type {WebSocket | undefined} */
  #socket;
  /** @type {RetryWindow} */
  #window = FIRST_WINDOW;
  /** @type {number | undefined} what the server asked for before it closed */
  #drainDelay;
  #failures = 0;
  #over = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retryTimer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #healthTimer;

  /** @param {string | URL} url */
  constructor(url) {
    super();
    this.#url = url;
    this.#connect();
  }

  /**
   * Calls `act` with the fields of every event of this type.
   * @param {string} type
   * @param {(fields: any) => void} act
   */
  on(type, act) {
    this.addEventListener(type, (event) => act(/** @type {CustomEvent} */ (event).detail));
  }

  /**
   * Sends data to all other connections of the same user.
   * @param {unknown} data anything JSON can say
   * @returns {boolean} false if there is no connection; nothing is kept for later
   */
  send(data) {
    return this.#write({ type: 'message', data });
  }

  /** Says that a person did something here, which extends the idle deadline. */
  stayActive() {
    return this.#write({ type: 'activity' });
  }

  /** Closes the connection and stays closed. The session itself goes on. */
  close() {
    this.#stop();
    this.#socket?.close(1000);
  }

  #connect() {
    const socket = new WebSocket(this.#url, SUBPROTOCOL);
    socket.addEventListener('message', ({ data }) => this.#receive(JSON.parse(data)));
    socket.addEventListener('close', ({ code, reason }) => this.#disconnected(code, reason));
    this.#socket = socket;
  }

  /** @param {object} frame */
  #write(frame) {
    if (this.#over || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** @param {any} frame */
  #receive(frame) {
    if (this.#over) return;
    if (frame.type === 'hello') this.#greeted(frame.retry);
    if (frame.type === 'drain') this.#drainDelay = frame.reconnect_in_ms;
    if (frame.type === 'ended') this.#stop();
    this.#tell(frame.type, frame);
  }

  /** @param {RetryWindow} retry */
  #greeted(retry) {
    this.#window = retry;
    this.#healthTimer = setTimeout(() => { this.#failures = 0; }, HEALTHY_AFTER_MS);
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #disconnected(code, reason) {
    clearTimeout(this.#healthTimer);
    if (this.#over) return;
    if (!isFinal(code)) return this.#retry(code);
    this.#stop();
    if (isSessionEnd(code)) this.#tell('ended', { type: 'ended', reason, event: null, at: Date.now() / 1000 });
    else this.#tell('offline', { code, retry_in_ms: null });
  }

  /** @param {number} code */
  #retry(code) {
    const delay = this.#drainDelay ?? this.#draw();
    this.#drainDelay = undefined;
    this.#failures += 1;
    this.#retryTimer = setTimeout(() => this.#connect(), delay);
    this.#tell('offline', { code, retry_in_ms: delay });
  }

  /** Full jitter: any moment of the window is as likely as any other. */
  #draw() {
    const { min_ms, max_ms } = this.#window;
    const upper = Math.min(max_ms * 2 ** this.#failures, Math.max(max_ms, WINDOW_CAP_MS));
    return min_ms + Math.random() * (upper - min_ms);
  }

  #stop() {
    this.#over = true;
    clearTimeout(this.#retryTimer);
    clearTimeout(this.#healthTimer);
  }

  /**
   * @param {string} type
   * @param {object} detail
   */
  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/**
 * Opens the live connection and keeps it open until the session ends.
 * @param {{url: string | URL}} options
 */
export const connectSession = ({ url }) => new LiveSession(url);
