// @ts-check
/** When the client reconnects, and when it does not. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { FakeSocket, RETRY, Tab, WIDEST_MS, begin, chance, end, liveTab, navigate, pass } from './doubles.mjs';

const HEALTHY_MS = 5_000;

beforeEach(begin);
afterEach(end);

/**
 * Drops the newest connection and waits until the next attempt.
 * @param {Tab} tab
 */
function dropAndReturn(tab, code = 1006) {
  FakeSocket.last.drop(code);
  pass(tab.delay);
  return tab.delay;
}

const attempts = () => FakeSocket.all.length;

describe('connecting', () => {
  it('speaks curfew.v1 and tells each frame as an event of its name', () => {
    const tab = liveTab();
    tab.socket.frame({ type: 'message', from: 'c2', data: { text: 'hi' } });
    assert.equal(tab.socket.protocol, 'curfew.v1');
    assert.equal(tab.socket.url, 'ws://test/ws');
    assert.deepEqual(tab.types, ['hello', 'message']);
    assert.deepEqual(tab.fields('message').data, { text: 'hi' });
  });

  it('is an EventTarget with CustomEvents', () => {
    const tab = liveTab();
    /** @type {any[]} */
    const heard = [];
    tab.session.addEventListener('rotated', (event) => heard.push(event));
    tab.socket.frame({ type: 'rotated', generation: 2 });
    assert.ok(heard[0] instanceof CustomEvent);
    assert.equal(heard[0].detail.generation, 2);
  });

  it('sends messages and activity while it is open, and says when it cannot', () => {
    const tab = new Tab();
    assert.equal(tab.session.send({ text: 'early' }), false);
    tab.socket.greet();
    assert.equal(tab.session.send({ text: 'now' }), true);
    tab.session.stayActive();
    assert.deepEqual(tab.socket.sent, [{ type: 'message', data: { text: 'now' } }, { type: 'activity' }]);
    tab.socket.drop();
    assert.equal(tab.session.send({ text: 'late' }), false);
  });

  it('sends nothing to a server that holds, which may drop it unread', () => {
    const tab = liveTab();
    tab.socket.frame({ type: 'hold' });
    assert.equal(tab.session.send({ text: 'held' }), false);
    tab.socket.frame({ type: 'resume' });
    assert.equal(tab.session.send({ text: 'again' }), true);
    assert.deepEqual(tab.socket.sent, [{ type: 'message', data: { text: 'again' } }]);
  });
});

describe('a final close code', () => {
  for (const code of [1008, 1009, 4400, 4401, 4403, 4408, 4499]) {
    it(`${code} stops for good`, () => {
      liveTab().socket.drop(code);
      pass(10 * WIDEST_MS);
      assert.equal(attempts(), 1);
    });
  }

  for (const code of [1008, 1009, 4403]) {
    it(`${code} stops the socket and does not claim that the session ended`, () => {
      const tab = new Tab();
      tab.socket.drop(code);
      assert.deepEqual(tab.told, [{ type: 'offline', fields: { code, retry_in_ms: null } }]);
    });
  }
});

describe('any other close code', () => {
  for (const code of [1000, 1001, 1006, 1007, 1010, 1011, 1012, 1013, 4399, 4500, 4503, 4508]) {
    it(`${code} comes back`, () => {
      dropAndReturn(liveTab(), code);
      assert.equal(attempts(), 2);
    });
  }

  it('comes back at the moment it announced, not before', () => {
    const tab = liveTab();
    tab.socket.drop();
    pass(tab.delay - 1);
    assert.equal(attempts(), 1);
    pass(1);
    assert.equal(attempts(), 2);
  });

  for (const [drawn, expected] of [[0, RETRY.min_ms], [0.5, 550], [1, RETRY.max_ms]]) {
    it(`draws ${expected} ms from the server's window for a chance of ${drawn}`, () => {
      chance.is = drawn;
      assert.equal(dropAndReturn(liveTab()), expected);
    });
  }

  it('doubles the upper end up to 30 s and keeps the lower one', () => {
    chance.is = 1;
    const tab = liveTab();
    const upper = Array.from({ length: 7 }, () => dropAndReturn(tab));
    assert.deepEqual(upper, [1_000, 2_000, 4_000, 8_000, 16_000, WIDEST_MS, WIDEST_MS]);
    chance.is = 0;
    assert.equal(dropAndReturn(tab), RETRY.min_ms);
  });

  it('after a drain comes back when the server asked for, once', () => {
    const tab = liveTab();
    tab.socket.frame({ type: 'drain', reconnect_in_ms: 7_777 });
    assert.equal(dropAndReturn(tab, 1012), 7_777);
    assert.notEqual(dropAndReturn(tab), 7_777);
  });

  for (const drawn of [0, 1]) {
    it(`1013 comes back later than any other does at first, for a chance of ${drawn}`, () => {
      chance.is = drawn;
      assert.equal(dropAndReturn(liveTab(), 1013), drawn ? WIDEST_MS : RETRY.max_ms);
    });
  }
});

describe('the window becomes small again', () => {
  /** @type {Tab} */
  let tab;

  beforeEach(() => {
    chance.is = 1;
    tab = liveTab();
    dropAndReturn(tab);
    dropAndReturn(tab);
    FakeSocket.last.greet();
  });

  it('after 5 s of health', () => {
    pass(HEALTHY_MS);
    assert.equal(dropAndReturn(tab), RETRY.max_ms);
  });

  it('not a moment earlier', () => {
    pass(HEALTHY_MS - 1);
    assert.equal(dropAndReturn(tab), 4 * RETRY.max_ms);
  });

  it('not by time that passes without a connection', () => {
    FakeSocket.last.drop();
    pass(HEALTHY_MS);
    assert.equal(dropAndReturn(tab), 8 * RETRY.max_ms);
  });

  it('not by time that passes without a greeting', () => {
    dropAndReturn(tab);
    FakeSocket.last.readyState = FakeSocket.OPEN;
    pass(HEALTHY_MS);
    assert.equal(dropAndReturn(tab), 8 * RETRY.max_ms);
  });
});

describe('nobody is in a hurry', () => {
  beforeEach(() => { chance.is = 1; });

  it('while the page is hidden: the first wait is drawn from the widest window', () => {
    const tab = liveTab();
    tab.page.hidden = true;
    assert.equal(dropAndReturn(tab), WIDEST_MS);
  });

  it('while there is no network', () => {
    navigate({ onLine: false });
    assert.equal(dropAndReturn(liveTab()), WIDEST_MS);
  });

  it('but a page that is seen again, or a network that is back, brings the attempt forward', () => {
    for (const event of ['visibilitychange', 'online']) {
      const tab = liveTab();
      tab.page.hidden = true;
      tab.socket.drop();
      tab.page.hidden = false;
      const before = attempts();
      tab.page.fire(event);
      pass(RETRY.max_ms);
      assert.equal(attempts(), before + 1, event);
    }
  });

  it('and however often that happens, there is one attempt in a window', () => {
    chance.is = 0.5;
    const tab = liveTab();
    tab.socket.drop();
    for (let turn = 0; turn < 50; turn += 1) tab.page.fire('online');
    pass(RETRY.max_ms);
    assert.equal(attempts(), 2);
  });

  it('and it never comes back sooner than a draining or busy server asked for', () => {
    const tab = liveTab();
    tab.socket.frame({ type: 'drain', reconnect_in_ms: 20_000 });
    tab.socket.drop(1012);
    tab.page.fire('online');
    pass(19_999);
    assert.equal(attempts(), 1);
  });
});
