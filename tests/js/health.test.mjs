// @ts-check
/** How the client finds connections that are dead although the browser calls them open. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { FakeSocket, RETRY, Tab, begin, end, liveTab, pass, sleep } from './doubles.mjs';

const ANSWERS_MS = 10_000;
const HELD_AT_MOST_MS = 60_000;

beforeEach(begin);
afterEach(end);

describe('a connection that looks open and is dead', () => {
  it('is left when it owes the answer to a ping, without waiting for the browser to notice', () => {
    const tab = liveTab();
    tab.page.fire('online');
    assert.deepEqual(tab.sent, ['ping']);
    pass(ANSWERS_MS - 1);
    assert.deepEqual(tab.types.filter((type) => type === 'offline'), []);
    pass(1);
    assert.equal(tab.fields('offline').code, 1006);
    pass(RETRY.max_ms);
    assert.equal(FakeSocket.all.length, 2);
  });

  it('is asked when the machine wakes up', () => {
    const tab = liveTab();
    sleep(60_000);
    pass(2_000);
    assert.deepEqual(tab.sent, ['ping']);
  });

  it('is kept when any frame comes', () => {
    const tab = liveTab();
    tab.page.fire('online');
    tab.socket.frame({ type: 'sessions' });
    pass(ANSWERS_MS);
    assert.equal(tab.fields('offline'), undefined);
  });

  it('is asked now and then while the page is seen, and not while it is hidden', () => {
    const tab = liveTab();
    pass(26_000);
    assert.deepEqual(tab.sent, ['ping']);
    tab.socket.frame({ type: 'pong' });
    tab.page.hidden = true;
    pass(120_000);
    assert.deepEqual(tab.sent, ['ping']);
  });

  it('is not asked while the server holds it: nothing is answered then', () => {
    const tab = liveTab();
    tab.socket.frame({ type: 'hold' });
    tab.page.fire('online');
    assert.deepEqual(tab.sent, []);
    tab.socket.frame({ type: 'resume' });
    tab.page.fire('online');
    assert.deepEqual(tab.sent, ['ping']);
  });

  it('is left when a hold lasts longer than any server holds', () => {
    const tab = liveTab();
    tab.socket.frame({ type: 'hold' });
    pass(HELD_AT_MOST_MS - 1);
    assert.equal(tab.fields('offline'), undefined);
    pass(1);
    assert.equal(tab.fields('offline').code, 1006);
  });

  it('is left when it was never greeted', () => {
    const tab = new Tab();
    pass(ANSWERS_MS);
    assert.equal(tab.fields('offline').code, 1006);
  });

  it('tells nothing more once it was left', () => {
    const tab = new Tab();
    pass(ANSWERS_MS);
    tab.socket.greet();
    tab.socket.drop(4401, 'admin');
    assert.deepEqual(tab.types, ['offline']);
  });
});
