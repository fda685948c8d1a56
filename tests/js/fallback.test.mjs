// @ts-check
/** How a page without a socket learns over HTTP what happens to its session. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';

import { endOf } from '../../static/js/fallback.js';
import { FakeSocket, Tab, begin, end, liveTab, pass, passLive, server, settled } from './doubles.mjs';

const WITHIN_MS = 30_000;
const SESSION = { created_at: 0, last_active_at: 0, idle_expires_at: 1_800, absolute_expires_at: 43_200 };

beforeEach(begin);
afterEach(end);

/**
 * Lets time pass in a network that refuses every socket.
 * @param {number} ms
 */
async function passBlocked(ms) {
  for (let left = ms; left > 0; left -= 1_000) {
    for (const socket of FakeSocket.all) socket.drop();
    pass(1_000);
    await settled();
  }
}

describe('where no socket gets through', () => {
  it('the server is asked at once, then often enough, and never as if somebody were active', async () => {
    server.lives();
    const tab = new Tab();
    await passBlocked(2_000);
    assert.equal(server.asked, 1);
    assert.equal(tab.fields('checked').answered, true);
    for (let rounds = 0; rounds < 10; rounds += 1) {
      const before = server.asked;
      await passBlocked(23_000);
      assert.ok(server.asked > before);
    }
    assert.ok(server.activity.every((isActivity) => !isActivity));
  });

  it('an end is seen in time, with its reason', async () => {
    server.lives();
    const tab = new Tab();
    await passBlocked(5_000);
    server.ended('admin');
    await passBlocked(WITHIN_MS);
    assert.equal(tab.fields('ended').reason, 'admin');
  });

  it('one of several tabs asks, and all of them know', async () => {
    let drawn = 0;
    mock.method(Math, 'random', () => { drawn = (drawn + 0.37) % 1; return drawn; });
    server.lives();
    const tabs = [new Tab({ session: 's1' }), new Tab({ session: 's1' }), new Tab({ session: 's1' })];
    await passBlocked(3_000);
    const before = server.asked;
    await passBlocked(60_000);
    assert.ok(server.asked - before <= 60 / 14, `${server.asked - before} questions`);
    server.ended('admin');
    await passBlocked(WITHIN_MS);
    for (const tab of tabs) assert.equal(tab.fields('ended').reason, 'admin');
  });

  it('no answer is told too, and nothing is made up', async () => {
    const tab = new Tab();
    await passBlocked(2_000);
    assert.equal(tab.fields('checked').answered, false);
    assert.equal(tab.fields('ended'), undefined);
  });

  it('a page that nobody sees asks nothing', async () => {
    server.lives();
    const tab = new Tab();
    tab.page.hidden = true;
    await passBlocked(120_000);
    assert.equal(server.asked, 0);
  });

  it('nothing is asked any more once a socket gets through', async () => {
    server.lives();
    const tab = liveTab();
    tab.socket.drop();
    pass(tab.delay);
    FakeSocket.last.greet();
    pass(20_000);
    assert.equal(server.asked, 0);
  });
});

it('a socket that stops answering is not trusted for half a minute', async () => {
  server.lives();
  const tab = liveTab();
  pass(WITHIN_MS);
  await settled();
  assert.equal(server.asked, 1);
  assert.equal(tab.fields('ended'), undefined);
});

it('a warning does not come from an answer that is older than the socket', async () => {
  server.lives(); // half an hour more
  const tab = liveTab();
  await tab.session.verify();
  passLive([tab], 29 * 60_000); // in which somebody acted, maybe in another tab
  server.answer = null;
  tab.socket.drop();
  await passBlocked(3_000);
  assert.deepEqual([server.asked, tab.fields('expiring')], [2, undefined]);
});

it('a draining server that says when to come back is not asked before', () => {
  const tab = liveTab();
  tab.socket.frame({ type: 'drain', reconnect_in_ms: 60_000 });
  tab.socket.drop(1012);
  pass(59_000);
  assert.equal(server.asked, 0);
});

describe('that sockets are blocked', () => {
  /**
   * Drains tabs of a server that is gone for good, as far as their sockets know; the first comes back first.
   * @param {number[]} delays
   */
  async function drained(...delays) {
    const tabs = delays.map(() => liveTab());
    tabs.forEach(({ socket }, place) => {
      socket.frame({ type: 'drain', reconnect_in_ms: delays[place] });
      socket.drop(1012);
    });
    await settled();
    return tabs;
  }

  it('is not said by a page that waits for its moment, whatever another tab hears', async () => {
    server.lives();
    const [first, second] = await drained(1_000, 20_000);
    await passBlocked(4_000);
    assert.equal(first.fields('checked').answered, true); // it tried twice
    assert.equal(second.fields('checked'), undefined);
    server.ended('admin');
    await passBlocked(WITHIN_MS);
    for (const tab of [first, second]) assert.equal(tab.fields('ended').reason, 'admin');
  });

  it('is said once an attempt fails after HTTP worked, and then at once', async () => {
    server.lives();
    const tab = liveTab();
    tab.socket.drop();
    pass(tab.delay + 500); // the question comes with the next attempt
    await settled();
    assert.deepEqual([server.asked, tab.fields('checked')], [1, undefined]);
    FakeSocket.last.drop();
    pass(1_000);
    await settled();
    assert.deepEqual([server.asked, tab.fields('checked')], [2, { answered: true }]);
  });

  it('is said of a socket that stays deaf while HTTP works', async () => {
    server.lives();
    const tab = liveTab();
    pass(WITHIN_MS);
    await settled();
    assert.equal(tab.fields('checked'), undefined); // it may answer yet
    pass(7_000);
    await settled();
    assert.equal(tab.fields('checked').answered, true);
  });

  it('is shown anew after a time in which nothing worked', async () => {
    server.lives();
    const tab = new Tab();
    await passBlocked(2_000);
    server.answer = null;
    await passBlocked(23_000);
    assert.equal(tab.fields('checked').answered, false);
    server.lives();
    const before = server.asked;
    while (server.asked === before) await passBlocked(1_000);
    assert.equal(tab.fields('checked').answered, false); // attempts failed before HTTP worked again
    await passBlocked(WITHIN_MS + 2_000);
    assert.equal(tab.fields('checked').answered, true);
  });

  it('is not concluded from attempts of a page that nobody saw', async () => {
    server.lives();
    const tab = new Tab();
    tab.page.hidden = true;
    tab.socket.drop();
    tab.page.hidden = false;
    pass(11_000);
    await settled();
    assert.deepEqual([server.asked, tab.fields('checked')], [1, undefined]);
  });

  it('is not said where the server itself lets no socket in for now', async () => {
    server.lives();
    const tab = new Tab();
    tab.socket.drop(1013);
    pass(tab.delay - 1);
    await settled();
    assert.equal(tab.fields('checked'), undefined);
  });
});

describe('the end by itself', () => {
  it('is reckoned with the clock of the server', () => {
    const { at, warnAt, reason } = endOf(SESSION, new Date(100_000).toUTCString());
    assert.deepEqual([at, warnAt, reason], [Date.now() + 1_700_000, Date.now() + 1_580_000, 'idle_timeout']);
  });

  it('is warned of a fifth of a short timeout before it', () => {
    const { at, warnAt } = endOf({ ...SESSION, idle_expires_at: 100 }, null);
    assert.equal(at - warnAt, 20_000);
  });

  it('is the absolute one where both are the same', () => {
    assert.equal(endOf({ ...SESSION, idle_expires_at: 43_200 }, null).reason, 'absolute_timeout');
  });
});
