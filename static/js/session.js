// @ts-check
/**
 * The session of this browser in this page, updated live: docs/howto/use-the-browser-client.md.
 *
 *   const session = connectSession({ url: '/ws' });
 *   session.on('message', ({ from, data }) => …);
 *   session.on('ended', ({ reason }) => …);
 */

import { Connection } from './connection.js';
import { Fallback, endOf } from './fallback.js';
import { watchPage } from './presence.js';
import { NO_ACTIVITY, REASON, asksToWait, at, isSessionEnd } from './protocol.js';
import { Tabs } from './tabs.js';

const REPORT_EVERY_MS = 30_000;
const REPORTED_MS = 1_000;
const ASK_EVERY_MS = 300_000;
const ANSWER_MS = 5_000;
const PONG_MS = 2_000;
const SAME_MS = 1_000; // two warnings this close are about the same deadline
const NOT_WARNED = { reason: '', until: 0 };

/** @typedef {import('./events.js').Events} Events */

export class LiveSession extends EventTarget {
  #over = false;
  /** @type {Events['unverified'] | undefined} set while the session is not verified; the answer to an earlier question does not clear it */
  #doubt;
  #warned = NOT_WARNED;
  #askAt = Date.now() + ASK_EVERY_MS;
  #quietUntil = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #unreported;
  #fallback = new Fallback(() => this.#check());
  #leaving = new AbortController();
  #tabs = new Tabs((frame) => this.#overhear(frame));
  #connection;

  /** @param {import('./events.js').Options} options */
  constructor({ url, session }) {
    super();
    this.#tabs.session = session;
    this.#tabs.say({ type: 'joined' }); // a page that waits for a sign-in goes on
    const address = new URL(at(String(url)), globalThis.location?.href);
    address.protocol = address.protocol.replace('http', 'ws');
    this.#connection = new Connection(address, (frame) => this.#receive(frame), (...loss) => this.#lost(...loss));
    watchPage({
      acts: () => this.#acted(),
      beats: () => this.#connection.probe() && this.#fallback.start(PONG_MS),
      leaves: () => this.#left(),
      returns: (restored) => this.#returned(restored),
    }, this.#leaving.signal);
  }

  /** @type {import('./events.js').On} calls `act` with the `detail` of each event of this type */
  on(type, act) {
    this.addEventListener(type, (event) => act(/** @type {CustomEvent} */ (event).detail));
  }

  /**
   * Sends data to the user's other connections. Returns false without a connection: the data is not kept.
   * @param {unknown} data any value that JSON can hold
   */
  send(data) {
    return this.write({ type: 'message', data });
  }

  /**
   * Sends a frame of rooms, or of the application's own. Returns false without a connection: it is not kept.
   * @param {object} frame
   */
  write(frame) {
    return this.#connection.write(frame);
  }

  /** Tells the server at once that a person wants to stay, over HTTP if there is no connection. */
  stayActive() {
    if (!this.#over) this.#report();
  }

  /** Asks the server whether the session is live. Call it when something hints that it may not be. */
  async verify({ restored = false } = {}) {
    if (this.#over) return;
    const doubt = this.#raiseDoubt(restored);
    if (!(await this.#ask(false)) && doubt === this.#doubt) this.#tell('unanswered', doubt);
  }

  /** Closes the connection and stays closed. The session itself goes on. */
  close() {
    this.#over = true;
    clearTimeout(this.#unreported);
    this.#fallback.stop();
    this.#leaving.abort();
    this.#tabs.close();
    this.#connection.close();
  }

  /** @param {any} frame */
  #receive(frame) {
    this.#fallback.stop();
    if (frame.type === 'ended') return this.#end(frame);
    if (frame.type === 'hello' && this.#isOurs(frame.session)) this.#greeted(frame);
    if (frame.type === 'rotated') this.#askAt = 0; // the new token counts only after a request has brought it back
    if (isWarning(frame)) this.#warn(frame, this.#tabs.elected);
    else this.#tell(frame.type, frame);
  }

  /** @param {Events['hello']} hello */
  #greeted({ session, now, idle_expires_at, absolute_expires_at }) {
    this.#tabs.stand();
    this.#vouch(session);
    const left = 1_000 * (Math.min(idle_expires_at, absolute_expires_at) - now);
    if (Date.now() + left > this.#warned.until + SAME_MS) this.#warn({ type: 'extended', idle_expires_at, absolute_expires_at }, false);
  }

  /** @type {(code: number, reason: string, retry_in_ms: number | null) => void} */
  #lost(code, reason, retry_in_ms) {
    this.#tabs.standDown();
    if (isSessionEnd(code)) return this.#end(ending(reason));
    this.#fallback.lost(retry_in_ms ?? 0, asksToWait(code));
    this.#tell('offline', { code, retry_in_ms });
  }

  /** Asks in place of the socket, for all tabs of this session that have none either. */
  async #check() {
    const answered = await this.#ask(null);
    if (this.#over) return;
    const checked = { type: 'checked', answered, end: this.#fallback.end };
    this.#tabs.say(checked);
    this.#checked(checked);
  }

  /** @param {{answered: boolean, end?: import('./fallback.js').End}} checked */
  #checked({ answered, end }) {
    if (!this.#fallback.isOn) return; // the socket came back
    this.#fallback.again(end);
    if (end && Date.now() >= end.warnAt) this.#warn({ type: 'expiring', reason: end.reason, in_ms: end.at - Date.now() }, false);
    else if (end && answered) this.#warn({ type: 'extended', ...end, reason: undefined }, false);
    if (this.#fallback.isSure(answered)) this.#tell('checked', { answered });
  }

  /** Prepares for the back-forward cache: it keeps only pages without a lock, and must show nothing private. */
  #left() {
    this.#tabs.standDown();
    this.#raiseDoubt(true);
  }

  #returned(restored = false) {
    this.#connection.hurry();
    if (this.#connection.probe()) this.#tabs.stand();
    if (restored || !document.hidden) this.verify({ restored });
  }

  #raiseDoubt(restored = false) {
    const doubt = { restored: restored || !!this.#doubt?.restored };
    this.#doubt = doubt;
    this.#tell('unverified', doubt);
    return doubt;
  }

  /**
   * Asks the server over HTTP, which may renew the cookie; returns whether it answered.
   * @param {boolean | null} isActivity whether a person caused it; null where it stands for the socket
   */
  async #ask(isActivity = true) {
    const doubt = this.#doubt;
    // Set now, because `rotated` may come before the answer.
    if (isActivity !== null) this.#askAt = Date.now() + ASK_EVERY_MS;
    const answer = await fetch(at('/api/session'), { cache: 'no-store', headers: isActivity ? undefined : NO_ACTIVITY, signal: AbortSignal.timeout(ANSWER_MS) }).catch(() => null);
    const body = await answer?.json().catch(() => null);
    if (answer?.status === 401 && body?.reason) this.#end(ending(body.reason));
    if (this.#over) return true;
    if (!answer?.ok || !body?.session) {
      this.#askAt = 0;
      return false;
    }
    if (!this.#isOurs(body.session)) return true;
    this.#fallback.end = endOf(body.session, answer.headers.get('Date'));
    if (doubt === this.#doubt) this.#vouch(body.session);
    if (isActivity && this.#warned.reason === REASON.IDLE_TIMEOUT) this.#warn({ type: 'extended', ...body.session }, true);
    return true;
  }

  /** @param {import('./events.js').Session} session if not this page's, the browser signed in again */
  #isOurs(session) {
    this.#tabs.session ??= session.id;
    const isOurs = session.id === this.#tabs.session;
    if (!isOurs) this.#end(ending(REASON.SUPERSEDED));
    return isOurs;
  }

  /** @param {import('./events.js').Session} session */
  #vouch(session) {
    if (this.#doubt) this.#tell('verified', { session });
    this.#doubt = undefined;
  }

  #acted() {
    if (Date.now() < this.#quietUntil) return;
    if (this.#tabs.elected || this.#warned.reason) return this.#report();
    this.#keepQuiet();
    this.#tabs.say({ type: 'acted' });
    this.#unreported = setTimeout(() => this.#report(), REPORTED_MS); // unless another tab does
  }

  /** Reports activity over the socket. Now and then also over HTTP, as only its answer can renew the cookie. */
  #report() {
    this.#keepQuiet();
    this.#tabs.say({ type: 'reported' });
    const isSent = this.#connection.write({ type: 'activity' });
    if (isSent && !(this.#tabs.elected && Date.now() >= this.#askAt)) return;
    this.#ask();
  }

  #keepQuiet() {
    clearTimeout(this.#unreported);
    this.#quietUntil = Date.now() + REPORT_EVERY_MS;
  }

  /** @type {(frame: any, isAloud: boolean) => void} aloud: other tabs, which may have no connection, are told too */
  #warn(frame, isAloud) {
    const warned = frame.reason ? { reason: frame.reason, until: Date.now() + frame.in_ms } : NOT_WARNED;
    if (warned.reason === this.#warned.reason && warned.until < this.#warned.until + SAME_MS) return; // known already
    this.#warned = warned;
    if (frame.reason) this.#quietUntil = 0;
    if (isAloud) this.#tabs.say(frame);
    this.#tell(frame.type, frame);
  }

  /** @param {any} frame */
  #overhear(frame) {
    if (frame.type === 'ended') this.#end(frame, false);
    if (frame.type === 'checked') this.#checked(frame);
    if (frame.type === 'reported') this.#keepQuiet();
    if (frame.type === 'acted' && this.#tabs.elected) {
      this.#report();
      this.#connection.probe(); // a report over a dead connection would be lost
    }
    if (isWarning(frame)) this.#warn(frame, false);
  }

  /** @param {Events['ended']} frame */
  #end(frame, isAloud = true) {
    if (this.#over) return;
    if (isAloud) this.#tabs.say(frame);
    this.close();
    this.dispatchEvent(new CustomEvent('ended', { detail: frame }));
  }

  /** @type {(type: string, detail: object) => void} */
  #tell(type, detail) {
    if (!this.#over) this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

/** @param {string} reason */
const ending = (reason) => ({ type: 'ended', reason, event: null, at: Date.now() / 1_000 });

/** @param {{type: string}} frame */
const isWarning = ({ type }) => type === 'expiring' || type === 'extended';

/** @param {import('./events.js').Options} options */
export const connectSession = (options) => new LiveSession(options);
