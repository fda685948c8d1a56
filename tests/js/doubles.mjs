// @ts-check
/** Tabs to test with, and doubles for what a browser has and Node does not. */

import { mock } from 'node:test';

import { OWN_EVENTS, SERVER_FRAMES } from '../../static/js/events.js';
import { connectSession } from '../../static/js/session.js';

export const RETRY = { min_ms: 100, max_ms: 1_000 };
export const WIDEST_MS = 30_000;
const SESSION = { id: 's1', user: 'ada', generation: 1 };
const TIMES = { created_at: 0, last_active_at: 0, idle_expires_at: 1_800, absolute_expires_at: 43_200 };

export class FakeSocket {
  static OPEN = 1;
  /** @type {FakeSocket[]} */
  static all = [];
  static get last() { return /** @type {FakeSocket} */ (FakeSocket.all.at(-1)); }

  /** @type {any[]} */
  sent = [];
  readyState = 0;
  /** @type {(event: {data: string}) => void} */
  onmessage = () => {};
  /** @type {(event: {code: number, reason: string}) => void} */
  onclose = () => {};

  /**
   * @param {URL} url
   * @param {string} protocol
   */
  constructor(url, protocol) {
    this.url = String(url);
    this.protocol = protocol;
    FakeSocket.all.push(this);
  }

  /** @param {string} text */
  send(text) { this.sent.push(JSON.parse(text)); }

  close(code = 1000) { this.drop(code); }

  greet({ session = SESSION, left_ms = 1_800_000 } = {}) {
    this.readyState = FakeSocket.OPEN;
    const until = { idle_expires_at: left_ms / 1_000, absolute_expires_at: 43_200 };
    this.frame({ type: 'hello', connection: 'c1', session, now: 0, ...until, retry: RETRY });
  }

  /** @param {object} frame */
  frame(frame) { this.onmessage({ data: JSON.stringify(frame) }); }

  drop(code = 1006, reason = '') {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.onclose({ code, reason });
  }
}

/** A window and its document in one object. With a real EventTarget of Node no event would be trusted. */
class FakePage {
  hidden = false;
  /** @type {{type: string, act: (event: object) => void, signal: AbortSignal}[]} */
  #listeners = [];

  /** @type {(type: string, act: (event: object) => void, options: {signal: AbortSignal}) => void} */
  addEventListener = (type, act, { signal }) => { this.#listeners.push({ type, act, signal }); };

  /** @param {string} type */
  fire(type, fields = {}) {
    for (const each of this.#listeners) {
      if (each.type === type && !each.signal.aborted) each.act({ isTrusted: true, persisted: false, ...fields });
    }
  }

  /** @param {boolean} hidden */
  hide(hidden) {
    this.hidden = hidden;
    this.fire('visibilitychange');
  }
}

/** @type {Tab[]} */
const open = [];

/** A page with a session, and the events that it got. */
export class Tab {
  /** @type {{type: string, fields: any}[]} */
  told = [];
  page = new FakePage();
  session;
  socket;

  constructor({ session = /** @type {string | undefined} */ (undefined) } = {}) {
    Object.assign(globalThis, { document: this.page, addEventListener: this.page.addEventListener });
    this.session = connectSession({ url: 'http://test/ws', session });
    this.socket = FakeSocket.last;
    for (const type of [...SERVER_FRAMES, ...OWN_EVENTS]) {
      this.session.on(type, (fields) => this.told.push({ type, fields }));
    }
    open.push(this);
  }

  get types() { return this.told.map(({ type }) => type); }

  /** The wait in the last `offline` event. */
  get delay() { return this.told.findLast(({ type }) => type === 'offline')?.fields.retry_in_ms; }

  /** @param {string} type */
  fields(type) { return this.told.findLast((each) => each.type === type)?.fields; }

  /** The types of the frames that the tab sent. */
  get sent() { return this.socket.sent.map(({ type }) => type); }
}

/**
 * Opens a tab with a connection.
 * @param {{session?: string}} options
 */
export function liveTab(options = {}) {
  const tab = new Tab(options);
  tab.socket.greet();
  return tab;
}

/** What the server answers when it is asked about the session; null means no answer. */
export const server = {
  asked: 0,
  /** Whether each request counted as activity. */
  activity: /** @type {boolean[]} */ ([]),
  answer: /** @type {{status: number, body: object} | null} */ (null),
  /** The promise that each answer waits for. */
  pause: Promise.resolve(),
  lives: (session = SESSION) => { server.answer = { status: 200, body: { session: { ...session, ...TIMES } } }; },
  ended: (reason = 'admin') => { server.answer = { status: 401, body: { type: '/problems/unauthenticated', reason } }; },
};

/** @type {(url: string, options: {headers?: Record<string, string>}) => Promise<Response>} */
async function answer(_, { headers }) {
  server.asked += 1;
  server.activity.push(headers?.['Curfew-Activity'] !== 'none');
  const given = server.answer;
  await server.pause;
  if (!given) throw new TypeError('no network');
  const { status, body } = given;
  return new Response(JSON.stringify(body), { status });
}

const RealChannel = globalThis.BroadcastChannel;
/** @type {BroadcastChannel[]} */
const channels = [];

/** A real channel that is closed after the test, as an open one keeps Node running. */
class Channel extends RealChannel {
  /** @param {string} name */
  constructor(name) {
    super(name);
    channels.push(this);
  }
}

const realNavigator = /** @type {PropertyDescriptor} */ (Object.getOwnPropertyDescriptor(globalThis, 'navigator'));

/** @param {object} navigator */
export const navigate = (navigator) => Object.defineProperty(globalThis, 'navigator', { value: navigator, configurable: true });

/** The value that `Math.random` returns. */
export const chance = { is: 0.5 };

export function begin() {
  chance.is = 0.5;
  FakeSocket.all = [];
  Object.assign(server, { asked: 0, activity: [], answer: null, pause: Promise.resolve() });
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'] });
  mock.method(Math, 'random', () => chance.is);
  Object.assign(globalThis, { WebSocket: FakeSocket, BroadcastChannel: Channel, fetch: answer });
}

export async function end() {
  for (const tab of open.splice(0)) tab.session.close();
  for (const channel of channels.splice(0)) channel.close();
  Object.defineProperty(globalThis, 'navigator', realNavigator);
  Object.assign(globalThis, { document: undefined });
  mock.timers.reset();
  mock.restoreAll();
  await settled();
}

/** Waits until messages between tabs, elections and answers have arrived. */
export async function settled() {
  for (let turn = 0; turn < 30; turn += 1) await new Promise(setImmediate);
}

/**
 * Lets time pass, in steps of a second: timers that fire within one step all see the time of its end.
 * @param {number} ms
 */
export function pass(ms) {
  for (let left = Math.ceil(ms); left > 0; left -= 1_000) mock.timers.tick(Math.min(left, 1_000));
}

/**
 * Lets the machine sleep: its clock goes on, its timers stop.
 * @param {number} ms
 */
export function sleep(ms) {
  const now = Date.now; // the mocked clock of this test
  Date.now = () => now() + ms;
}

/** Opens three tabs, of which the first is elected. */
export async function threeTabs() {
  const tabs = [liveTab(), liveTab(), liveTab()];
  await settled();
  return tabs;
}

/** @param {Tab} tab */
export async function act(tab, fields = {}) {
  tab.page.fire('pointerdown', fields);
  await settled();
}

/**
 * Returns how often each tab reported activity.
 * @param {Tab[]} tabs
 */
export const reports = (tabs) => tabs.map(({ sent }) => sent.filter((type) => type === 'activity').length);

/**
 * Lets time pass with a server that answers pings.
 * @param {Tab[]} tabs
 * @param {number} ms
 */
export function passLive(tabs, ms) {
  for (let left = ms; left > 0; left -= 1_000) {
    pass(1_000);
    for (const { sent, socket } of tabs) if (sent.at(-1) === 'ping') socket.frame({ type: 'pong' });
  }
}
