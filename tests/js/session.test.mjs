// @ts-check
/** The reconnect rules of the browser client, with a socket and a clock of our own. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';

import { SERVER_FRAMES, isFinal } from '../../static/js/protocol.js';
import { connectSession } from '../../static/js/session.js';

const RETRY = { min_ms: 100, max_ms: 1_000 };
const CAP_MS = 30_000;
const HEALTHY_MS = 5_000;

class FakeSocket extends EventTarget {
  static OPEN = 1;
  /** @type {FakeSocket[]} */
  static all = [];
  static get last() { return /** @type {FakeSocket} */ (FakeSocket.all.at(-1)); }

  /** @type {object[]} */
  sent = [];
  readyState = 0;

  /**
   * @param {string} url
   * @param {string} protocol
   */
  constructor(url, protocol) {
    super();
    Object.assign(this, { url, protocol });
    FakeSocket.all.push(this);
  }

  /** @param {string} text */
  send(text) { this.sent.push(JSON.parse(text)); }

  close(code = 1000) { this.drop(code); }

  greet() {
    this.readyState = FakeSocket.OPEN;
    this.frame({ type: 'hello', connection: 'c1', session: { id: 's1' }, retry: RETRY });
  }

  /** @param {object} frame */
  frame(frame) {
    this.dispatchEvent(Object.assign(new Event('message'), { data: JSON.stringify(frame) }));
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  drop(code, reason = '') {
    if (this.readyState === 3) return;
    this.readyState = 3;
    this.dispatchEvent(Object.assign(new Event('close'), { code, reason }));
  }
}

/** @type {{type: string, fields: any}[]} */
let told;
/** @type {number} what Math.random answers */
let chance;

/** A session that notes all it tells. */
function connect() {
  const session = connectSession({ url: 'ws://test/ws' });
  for (const type of [...SERVER_FRAMES, 'offline']) session.on(type, (fields) => told.push({ type, fields }));
  return session;
}

const typesTold = () => told.map(({ type }) => type);
const lastDelay = () => told.findLast(({ type }) => type === 'offline')?.fields.retry_in_ms;

/** Drops the newest connection and waits until the next one is tried. */
function dropAndReturn(code = 1006) {
  FakeSocket.last.drop(code);
  mock.timers.tick(Math.ceil(lastDelay()));
  return lastDelay();
}

beforeEach(() => {
  told = [];
  chance = 0.5;
  FakeSocket.all = [];
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  mock.method(Math, 'random', () => chance);
  Object.assign(globalThis, { WebSocket: FakeSocket });
});

afterEach(() => {
  mock.timers.reset();
  mock.restoreAll();
});

describe('connecting', () => {
  it('speaks curfew.v1 and tells each frame as an event of its name', () => {
    connect();
    FakeSocket.last.greet();
    FakeSocket.last.frame({ type: 'message', from: 'c2', data: { text: 'hi' } });
    assert.equal(Reflect.get(FakeSocket.last, 'protocol'), 'curfew.v1');
    assert.deepEqual(typesTold(), ['hello', 'message']);
    assert.deepEqual(told[1].fields.data, { text: 'hi' });
  });

  it('sends messages and activity while it is open, and says when it cannot', () => {
    const session = connect();
    assert.equal(session.send({ text: 'early' }), false);
    FakeSocket.last.greet();
    assert.equal(session.send({ text: 'now' }), true);
    assert.equal(session.stayActive(), true);
    assert.deepEqual(FakeSocket.last.sent, [{ type: 'message', data: { text: 'now' } }, { type: 'activity' }]);
    FakeSocket.last.drop(1006);
    assert.equal(session.send({ text: 'late' }), false);
  });
});

describe('a final close code', () => {
  for (const code of [1008, 1009, 4400, 4401, 4403, 4408, 4499]) {
    it(`${code} stops for good`, () => {
      connect();
      FakeSocket.last.greet();
      FakeSocket.last.drop(code);
      mock.timers.tick(10 * CAP_MS);
      assert.equal(FakeSocket.all.length, 1);
    });
  }

  it('4401 without a frame still ends the session, with the reason of the close frame', () => {
    connect();
    FakeSocket.last.drop(4401, 'admin');
    assert.deepEqual(typesTold(), ['ended']);
    assert.equal(told[0].fields.reason, 'admin');
  });

  for (const code of [1008, 1009, 4403]) {
    it(`${code} stops the socket and does not claim that the session ended`, () => {
      connect();
      FakeSocket.last.drop(code);
      assert.deepEqual(told, [{ type: 'offline', fields: { code, retry_in_ms: null } }]);
    });
  }

  for (const code of [4401, 4408]) {
    it(`${code} ends the session`, () => {
      connect();
      FakeSocket.last.drop(code, 'idle_timeout');
      assert.deepEqual(typesTold(), ['ended']);
    });
  }
});

describe('the end', () => {
  it('is told once, before the close, and nothing is told after it', () => {
    connect();
    FakeSocket.last.greet();
    FakeSocket.last.frame({ type: 'ended', reason: 'logout', event: 'e1', at: 1 });
    assert.deepEqual(typesTold(), ['hello', 'ended']);
    FakeSocket.last.frame({ type: 'message', from: 'c2', data: 1 });
    FakeSocket.last.drop(4401, 'logout');
    assert.deepEqual(typesTold(), ['hello', 'ended']);
  });

  it('stops even when the close frame is lost', () => {
    connect();
    FakeSocket.last.greet();
    FakeSocket.last.frame({ type: 'ended', reason: 'logout', event: 'e1', at: 1 });
    FakeSocket.last.drop(1006);
    mock.timers.tick(10 * CAP_MS);
    assert.equal(FakeSocket.all.length, 1);
  });

  it('is not what close() does, but close() stays closed too', () => {
    const session = connect();
    FakeSocket.last.greet();
    session.close();
    mock.timers.tick(10 * CAP_MS);
    assert.deepEqual(typesTold(), ['hello']);
    assert.equal(FakeSocket.all.length, 1);
  });

  it('cancels an attempt that was waiting', () => {
    const session = connect();
    FakeSocket.last.drop(1006);
    session.close();
    mock.timers.tick(10 * CAP_MS);
    assert.equal(FakeSocket.all.length, 1);
  });
});

describe('any other close code', () => {
  for (const code of [1000, 1001, 1006, 1007, 1010, 1011, 1012, 1013, 4399, 4500, 4503, 4508]) {
    it(`${code} comes back`, () => {
      connect();
      FakeSocket.last.greet();
      dropAndReturn(code);
      assert.equal(FakeSocket.all.length, 2);
    });
  }

  it('comes back at the moment it announced, not before', () => {
    connect();
    FakeSocket.last.greet();
    FakeSocket.last.drop(1006);
    mock.timers.tick(lastDelay() - 1);
    assert.equal(FakeSocket.all.length, 1);
    mock.timers.tick(1);
    assert.equal(FakeSocket.all.length, 2);
  });

  for (const [drawn, expected] of [[0, RETRY.min_ms], [0.5, 550], [1, RETRY.max_ms]]) {
    it(`draws ${expected} ms from the server's window for a chance of ${drawn}`, () => {
      chance = drawn;
      connect();
      FakeSocket.last.greet();
      assert.equal(dropAndReturn(), expected);
    });
  }

  it('doubles the upper end up to 30 s and keeps the lower one', () => {
    chance = 1;
    connect();
    FakeSocket.last.greet();
    const upper = Array.from({ length: 7 }, () => dropAndReturn());
    assert.deepEqual(upper, [1_000, 2_000, 4_000, 8_000, 16_000, CAP_MS, CAP_MS]);
    chance = 0;
    assert.equal(dropAndReturn(), RETRY.min_ms);
  });

  it('after a drain comes back when the server asked for', () => {
    connect();
    FakeSocket.last.greet();
    FakeSocket.last.frame({ type: 'drain', reconnect_in_ms: 7_777 });
    assert.equal(dropAndReturn(1012), 7_777);
  });
});

describe('the window becomes small again', () => {
  beforeEach(() => {
    chance = 1;
    connect();
    FakeSocket.last.greet();
    dropAndReturn();
    dropAndReturn();
    FakeSocket.last.greet();
  });

  it('after 5 s of health', () => {
    mock.timers.tick(HEALTHY_MS);
    assert.equal(dropAndReturn(), RETRY.max_ms);
  });

  it('not a moment earlier', () => {
    mock.timers.tick(HEALTHY_MS - 1);
    assert.equal(dropAndReturn(), 4 * RETRY.max_ms);
  });

  it('not by time that passes without a connection', () => {
    FakeSocket.last.drop(1006);
    mock.timers.tick(HEALTHY_MS);
    assert.equal(dropAndReturn(), 8 * RETRY.max_ms);
  });
});

describe('the words', () => {
  it('know the codes after which nobody comes back', () => {
    assert.deepEqual([4399, 4400, 4499, 4500].map(isFinal), [false, true, true, false]);
    assert.deepEqual([1007, 1008, 1009, 1010].map(isFinal), [false, true, true, false]);
  });
});
