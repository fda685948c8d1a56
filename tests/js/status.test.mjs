// @ts-check
/** The line that says what works: what it shows after a loss, and after what HTTP found out. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { keepStatusCurrent } from '../../static/js/status.js';
import { FakeSocket, Tab, begin, end, pass, server, settled } from './doubles.mjs';

const BACK_WITHIN_MS = 8_000;

/** A tab with the line. */
function lineTab() {
  const tab = new Tab();
  const line = { dataset: { state: '' }, hidden: true, textContent: '' };
  const words = { textContent: '{}' };
  Object.assign(tab.page, { getElementById: (/** @type {string} */ id) => (id === 'texts' ? words : line) });
  keepStatusCurrent(tab.session);
  return { tab, state: () => line.dataset.state };
}

/** A tab in a network that lets no sockets through, where HTTP works. */
async function limitedTab() {
  server.lives();
  const { tab, state } = lineTab();
  tab.socket.drop();
  pass(1_000);
  await settled();
  assert.equal(state(), 'limited');
  pass(tab.delay);
  return { tab, state };
}

beforeEach(begin);
afterEach(end);

describe('where sockets are blocked', () => {
  it('another attempt in vain changes nothing', async () => {
    const { state } = await limitedTab();
    FakeSocket.last.drop();
    assert.equal(state(), 'limited');
  });

  for (const code of [1012, 1013]) {
    it(`an attempt that the server itself puts off with ${code} shows that they are not`, async () => {
      const { state } = await limitedTab();
      FakeSocket.last.drop(code);
      assert.equal(state(), 'offline');
    });
  }

  it('a socket that gets through shows it too', async () => {
    const { state } = await limitedTab();
    FakeSocket.last.greet();
    assert.equal(state(), 'live');
  });

  it('nothing works any more once HTTP does not', async () => {
    const { state } = await limitedTab();
    server.answer = null;
    FakeSocket.last.drop();
    pass(22_000);
    await settled();
    assert.equal(state(), 'offline');
  });
});

describe('a loss', () => {
  it('is shown at once, but not before the first connection', () => {
    const { tab, state } = lineTab();
    tab.socket.drop();
    assert.equal(state(), 'connecting');
    pass(tab.delay);
    FakeSocket.last.greet();
    FakeSocket.last.drop();
    assert.equal(state(), 'offline');
  });

  it('that the browser itself causes is shown if the page is still there and has none after a while', () => {
    const { tab, state } = lineTab();
    tab.socket.greet();
    tab.socket.drop(1001);
    pass(BACK_WITHIN_MS - 1);
    assert.equal(state(), 'live');
    pass(1);
    assert.equal(state(), 'offline');
  });

  it('for good is kept, whatever HTTP says', async () => {
    server.lives();
    const { tab, state } = lineTab();
    tab.socket.greet();
    tab.socket.drop(4403);
    pass(2_000);
    await settled();
    assert.ok(server.asked > 0);
    assert.equal(state(), 'refused');
  });
});
