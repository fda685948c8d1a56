// @ts-check
/** The end of a session, and what a page may show until the server has answered. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { isFinal } from '../../static/js/protocol.js';
import { FakeSocket, Tab, WIDEST_MS, begin, end, liveTab, pass, server, settled, sleep } from './doubles.mjs';

const SLEPT_MS = 60_000;
const OTHER = { id: 's2', user: 'bob', generation: 1 };

beforeEach(begin);
afterEach(end);

describe('the end', () => {
  it('is told once, and nothing is told after it', () => {
    const tab = liveTab();
    tab.socket.frame({ type: 'ended', reason: 'logout', event: 'e1', at: 1 });
    assert.deepEqual(tab.types, ['hello', 'ended']);
    tab.socket.frame({ type: 'message', from: 'c2', data: 1 });
    tab.socket.drop(4401, 'logout');
    assert.deepEqual(tab.types, ['hello', 'ended']);
    assert.deepEqual(tab.fields('ended'), { type: 'ended', reason: 'logout', event: 'e1', at: 1 });
  });

  it('stops even when the close frame is lost', () => {
    liveTab().socket.frame({ type: 'ended', reason: 'logout', event: 'e1', at: 1 });
    pass(10 * WIDEST_MS);
    assert.equal(FakeSocket.all.length, 1);
  });

  for (const code of [4401, 4408]) {
    it(`is what ${code} means, with the reason of the close frame`, () => {
      const tab = new Tab();
      tab.socket.drop(code, 'idle_timeout');
      assert.deepEqual(tab.types, ['ended']);
      assert.equal(tab.fields('ended').reason, 'idle_timeout');
    });
  }

  it('is not what close() does, but close() stays closed too', () => {
    const tab = liveTab();
    tab.session.close();
    tab.session.stayActive();
    tab.page.fire('online');
    pass(10 * WIDEST_MS);
    assert.deepEqual(tab.types, ['hello']);
    assert.equal(FakeSocket.all.length, 1);
    assert.equal(server.asked, 0);
  });

  it('cancels an attempt that was waiting', () => {
    const tab = new Tab();
    tab.socket.drop();
    tab.session.close();
    pass(10 * WIDEST_MS);
    assert.equal(FakeSocket.all.length, 1);
  });

  it('is also that the browser has another session by now', () => {
    const tab = liveTab({ session: 's1' });
    tab.socket.drop();
    pass(tab.delay);
    FakeSocket.last.greet({ session: OTHER });
    assert.deepEqual(tab.types, ['hello', 'offline', 'ended']);
    assert.equal(tab.fields('ended').reason, 'superseded');
  });

  it('is not that another session answers a page that was not told which is its own', () => {
    const tab = new Tab();
    tab.socket.greet({ session: OTHER });
    assert.deepEqual(tab.types, ['hello']);
  });
});

describe('a page that may have missed something asks the server', () => {
  /** @type {Record<string, (tab: Tab) => void>} */
  const ways = {
    'seen again': (tab) => { tab.page.hide(true); tab.page.hide(false); },
    'with a network again': (tab) => tab.page.fire('online'),
    'out of the back-forward cache': (tab) => tab.page.fire('pageshow', { persisted: true }),
    'after a sleep': () => { sleep(SLEPT_MS); pass(2_000); },
    'by request': (tab) => void tab.session.verify(),
  };

  for (const [way, happens] of Object.entries(ways)) {
    it(`${way}: covered until it is answered`, async () => {
      const tab = liveTab();
      server.lives();
      happens(tab);
      assert.equal(tab.types.at(-1), 'unverified');
      assert.deepEqual(server.activity, [false]);
      await settled();
      assert.equal(tab.types.at(-1), 'verified');
      assert.equal(tab.fields('verified').session.id, 's1');
    });

    it(`${way}: an end is told with its reason`, async () => {
      const tab = liveTab();
      server.ended('credential_changed');
      happens(tab);
      await settled();
      assert.deepEqual(tab.types, ['hello', 'unverified', 'ended']);
      assert.equal(tab.fields('ended').reason, 'credential_changed');
    });
  }

  it('and believes no answer to what it asked before it was left', async () => {
    const tab = liveTab();
    server.lives();
    let answer = () => {};
    server.pause = new Promise((resolve) => { answer = () => resolve(); });
    tab.session.stayActive();
    tab.session.verify();
    server.ended('logout');
    server.pause = Promise.resolve();
    tab.page.fire('pagehide');
    answer();
    await settled();
    assert.equal(tab.fields('verified'), undefined);
    assert.equal(tab.fields('unanswered'), undefined);
    tab.page.fire('pageshow', { persisted: true });
    await settled();
    assert.equal(tab.fields('ended').reason, 'logout');
  });

  it('and is told that another session took its place', async () => {
    const tab = liveTab();
    server.lives(OTHER);
    await tab.session.verify();
    assert.equal(tab.fields('ended').reason, 'superseded');
    assert.equal(tab.fields('verified'), undefined);
  });

  it('which does not take back a warning: nobody has acted', async () => {
    const tab = liveTab();
    server.lives();
    tab.socket.frame({ type: 'expiring', reason: 'idle_timeout', in_ms: 60_000 });
    await tab.session.verify();
    assert.equal(tab.fields('extended'), undefined);
  });

  it('not while it is hidden', () => {
    const tab = liveTab();
    tab.page.hidden = true;
    tab.page.fire('online');
    assert.equal(server.asked, 0);
  });

  it('not when it was loaded for the first time', () => {
    liveTab().page.fire('pageshow');
    assert.equal(server.asked, 0);
  });
});

describe('no answer', () => {
  /** @type {[string, {status: number, body: object} | null][]} */
  const silences = [
    ['a network that is down', null],
    ['a store that is down', { status: 503, body: { type: '/problems/unavailable' } }],
    ['a gateway with a page of its own', { status: 200, body: {} }],
    ['a portal that wants a password', { status: 401, body: {} }],
    ['a server that awaits a newer cookie', { status: 401, body: { type: '/problems/token-overtaken' } }],
  ];

  for (const [silence, answer] of silences) {
    it(`from ${silence} is neither an end nor a proof`, async () => {
      const tab = liveTab();
      server.answer = answer;
      await tab.session.verify();
      assert.deepEqual(tab.types, ['hello', 'unverified', 'unanswered']);
      assert.equal(tab.fields('unanswered').restored, false);
    });
  }

  it('is followed by proof with the next greeting', async () => {
    const tab = liveTab();
    await tab.session.verify();
    tab.socket.drop();
    pass(tab.delay);
    FakeSocket.last.greet();
    assert.deepEqual(tab.types.slice(-2), ['verified', 'hello']);
  });

  it('leaves a page out of the back-forward cache restored, whatever else asks meanwhile', async () => {
    const tab = liveTab();
    tab.page.fire('pageshow', { persisted: true });
    tab.page.fire('visibilitychange');
    await settled();
    assert.deepEqual(tab.told.filter(({ type }) => type === 'unanswered').map(({ fields }) => fields.restored), [true]);
  });

  it('is nothing that a page asks about after its end', async () => {
    const tab = liveTab();
    const asking = tab.session.verify();
    tab.socket.frame({ type: 'ended', reason: 'logout', event: 'e1', at: 1 });
    await asking;
    assert.deepEqual(tab.types, ['hello', 'unverified', 'ended']);
  });
});

it('a page that is left is covered, so that it comes back covered', () => {
  const tab = liveTab();
  tab.page.fire('pagehide');
  assert.deepEqual(tab.types, ['hello', 'unverified']);
  assert.equal(tab.fields('unverified').restored, true);
});

it('the codes after which nobody comes back are those of the protocol', () => {
  assert.deepEqual([4399, 4400, 4499, 4500].map(isFinal), [false, true, true, false]);
  assert.deepEqual([1007, 1008, 1009, 1010].map(isFinal), [false, true, true, false]);
});
