// @ts-check
/**
 * The session of this browser, live in this page: docs/howto/use-the-browser-client.md.
 *
 *   const session = connectSession({ url: '/ws' });
 *   session.on('message', ({ from, data }) => …);
 *   session.on('ended', ({ reason }) => …);
 */

import { Connection } from './connection.js';
import { watchPage } from './presence.js';
import { isSessionEnd } from './protocol.js';
import { Tabs } from './tabs.js';

const REPORT_EVERY_MS = 30_000;
const REPORTED_WITHIN_MS = 1_000;
const ASK_EVERY_MS = 300_000;
const ANSWER_WITHIN_MS = 5_000;

/** @typedef {import('./events.js').Events} Events */

export class LiveSession extends EventTarget {
  #over = false;
  /** @type {Events['unverified'] | undefined} while nobody vouches for the session */
  #unverified;
  /** @type {string | undefined} why it ends soon */
  #warned;
  #askAt = Date.now() + ASK_EVERY_MS;
  #quietUntil = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #unreported;
  #leaving = new AbortController();
  #tabs = new Tabs((frame) => this.#overhear(frame));
  #connection;

  /** @param {import('./events.js').Options} options */
  constructor({ url, session }) {
    super();
    this.#tabs.session = session;
    const address = new URL(url, globalThis.location?.href);
    address.protocol = address.protocol.replace('http', 'ws');
    this.#connection = new Connection(address, (frame) => this.#receive(frame), (...loss) => this.#lost(...loss));
    watchPage({
      acts: () => this.#acted(),
      beats: () => this.#connection.probe(),
      leaves: () => this.#left(),
      returns: (restored) => this.#returned(restored),
    }, this.#leaving.signal);
  }

  /** @type {import('./events.js').On} calls `act` with the `detail` of every event of this type */
  on(type, act) {
    this.addEventListener(type, (event) => act(/** @type {CustomEvent} */ (event).detail));
  }

  /**
   * Sends data to the user's other connections. False without a connection; nothing is kept for later.
   * @param {unknown} data anything JSON can say
   */
  send(data) {
    return this.#connection.write({ type: 'message', data });
  }

  /** Says that a person wants to stay, at once, and over HTTP if there is no connection. */
  stayActive() {
    if (!this.#over) this.#report();
  }

  /** Asks the server whether the session lives, when something else hints that it may not. */
  async verify({ restored = false } = {}) {
    if (this.#over) return;
    this.#doubt(restored);
    if (!(await this.#ask(false)) && this.#unverified) this.#tell('unanswered', this.#unverified);
  }

  /** Closes the connection and stays closed. The session itself goes on. */
  close() {
    this.#over = true;
    clearTimeout(this.#unreported);
    this.#leaving.abort();
    this.#tabs.close();
    this.#connection.close();
  }

  /** @param {any} frame */
  #receive(frame) {
    if (frame.type === 'ended') return this.#end(frame);
    if (frame.type === 'hello' && this.#vouched(frame.session)) this.#tabs.stand();
    if (frame.type === 'rotated') this.#askAt = 0; // the new token counts once it came back
    if (isWarning(frame)) this.#warn(frame, this.#tabs.elected);
    else this.#tell(frame.type, frame);
  }

  /** @type {(code: number, reason: string, retry_in_ms: number | null) => void} */
  #lost(code, reason, retry_in_ms) {
    this.#tabs.standDown();
    if (isSessionEnd(code)) this.#end(ending(reason));
    else this.#tell('offline', { code, retry_in_ms });
  }

  /** For coming back a page is kept only without a lock, and should be kept with nothing private. */
  #left() {
    this.#tabs.standDown();
    this.#doubt(true);
  }

  #returned(restored = false) {
    this.#connection.hurry();
    if (this.#connection.probe()) this.#tabs.stand();
    if (restored || !document.hidden) this.verify({ restored });
  }

  #doubt(restored = false) {
    this.#unverified = { restored: restored || !!this.#unverified?.restored };
    this.#tell('unverified', this.#unverified);
  }

  /** Whether the server answered, which may renew the cookie. Without a person it is no activity. */
  async #ask(isActivity = true) {
    this.#askAt = Date.now() + ASK_EVERY_MS; // `rotated` may be here before the answer
    const headers = isActivity ? undefined : { 'Curfew-Activity': 'none' };
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const answer = await fetch('/api/session', { cache: 'no-store', headers, signal }).catch(() => null);
    const body = await answer?.json().catch(() => null);
    if (answer?.status === 401 && body?.reason) this.#end(ending(body.reason));
    if (this.#over) return true;
    if (!answer?.ok || !body?.session) {
      this.#askAt = 0;
      return false;
    }
    const isOurs = this.#vouched(body.session);
    if (isOurs && isActivity && this.#warned === 'idle_timeout') this.#warn({ type: 'extended', ...body.session }, true);
    return true;
  }

  /** @param {import('./events.js').Session} session if not this page's, the browser signed in anew */
  #vouched(session) {
    this.#tabs.session ??= session.id;
    if (session.id !== this.#tabs.session) return this.#end(ending('superseded'));
    if (this.#unverified) this.#tell('verified', { session });
    this.#unverified = undefined;
    return true;
  }

  #acted() {
    if (Date.now() < this.#quietUntil) return;
    if (this.#tabs.elected) return this.#report();
    this.#keepQuiet();
    this.#tabs.say({ type: 'acted' });
    this.#unreported = setTimeout(() => this.#report(), REPORTED_WITHIN_MS); // if nobody else does
  }

  /** Over the socket, and now and then over HTTP too, whose answer alone can renew the cookie. */
  #report() {
    this.#keepQuiet();
    this.#tabs.say({ type: 'reported' });
    const isSent = this.#connection.write({ type: 'activity' });
    if (!isSent || (this.#tabs.elected && Date.now() >= this.#askAt)) this.#ask();
  }

  #keepQuiet() {
    clearTimeout(this.#unreported);
    this.#quietUntil = Date.now() + REPORT_EVERY_MS;
  }

  /** @type {(frame: any, isAloud: boolean) => void} aloud: also for tabs without a connection */
  #warn(frame, isAloud) {
    this.#warned = frame.reason;
    if (frame.reason) this.#quietUntil = 0;
    if (isAloud) this.#tabs.say(frame);
    this.#tell(frame.type, frame);
  }

  /** @param {any} frame */
  #overhear(frame) {
    if (frame.type === 'ended') this.#end(frame, false);
    if (frame.type === 'reported') this.#keepQuiet();
    if (frame.type === 'acted' && this.#tabs.elected) this.#report();
    if (isWarning(frame) && frame.reason !== this.#warned) this.#warn(frame, false);
  }

  /** @param {Events['ended']} frame */
  #end(frame, isAloud = true) {
    if (this.#over) return false;
    if (isAloud) this.#tabs.say(frame);
    this.close();
    this.dispatchEvent(new CustomEvent('ended', { detail: frame }));
    return false;
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
