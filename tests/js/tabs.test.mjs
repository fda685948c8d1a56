// @ts-check
/** How the tabs of one browser work together, over Node's own BroadcastChannel and locks. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { FakeSocket, Tab, act, begin, end, navigate, pass, passLive, reports, server, settled, threeTabs } from './doubles.mjs';

const REPORT_EVERY_MS = 30_000;

beforeEach(begin);
afterEach(end);

describe('one of three tabs speaks for all', () => {
  it('whichever tab a person is in', async () => {
    const tabs = await threeTabs();
    await act(tabs[2]);
    assert.deepEqual(reports(tabs), [1, 0, 0]);
    await act(tabs[1]);
    await act(tabs[0]);
    assert.deepEqual(reports(tabs), [1, 0, 0]);
    passLive(tabs, REPORT_EVERY_MS);
    await act(tabs[1]);
    assert.deepEqual(reports(tabs), [2, 0, 0]);
  });

  it('and another one when its connection turns out to be dead', async () => {
    const tabs = await threeTabs();
    await act(tabs[2]);
    assert.deepEqual(tabs[0].sent, ['activity', 'ping']);
    pass(10_000);
    assert.equal(tabs[0].fields('offline').code, 1006);
    await settled();
    passLive(tabs.slice(1), REPORT_EVERY_MS);
    await act(tabs[2]);
    assert.deepEqual(reports(tabs), [1, 1, 0]);
  });

  it('but under a warning each for itself: the one that speaks for all may be dead', async () => {
    const tabs = await threeTabs();
    for (const tab of tabs) tab.socket.frame({ type: 'expiring', reason: 'idle_timeout', in_ms: 60_000 });
    await act(tabs[2]);
    assert.deepEqual(reports(tabs), [0, 0, 1]);
  });

  it('and another one when it is closed', async () => {
    const tabs = await threeTabs();
    tabs[0].session.close();
    await settled();
    await act(tabs[2]);
    assert.deepEqual(reports(tabs), [0, 1, 0]);
  });

  it('and another one while it has no connection', async () => {
    const tabs = await threeTabs();
    tabs[0].socket.drop();
    await settled();
    await act(tabs[0]);
    assert.deepEqual(reports(tabs), [0, 1, 0]);
  });

  it('and another one when it is left, perhaps for the back-forward cache', async () => {
    const tabs = await threeTabs();
    tabs[0].page.fire('pagehide');
    await settled();
    await act(tabs[2]);
    assert.deepEqual(reports(tabs), [0, 1, 0]);
  });

  it('and if that one is asleep, a tab speaks for itself a second later', async () => {
    /** @type {() => void} */
    let wake = () => {};
    navigator.locks.request('curfew', () => new Promise((resolve) => { wake = () => resolve(0); }));
    const tabs = await threeTabs();
    await act(tabs[2]);
    assert.deepEqual(reports(tabs), [0, 0, 0]);
    pass(1_000);
    wake();
    assert.deepEqual(reports(tabs), [0, 0, 1]);
  });

  it('and all of them do where there are no locks, without repeating each other', async () => {
    navigate({});
    const tabs = await threeTabs();
    await act(tabs[2]);
    await act(tabs[1]);
    assert.deepEqual(reports(tabs), [0, 0, 1]);
  });

  it('and each for itself where tabs cannot hear each other', async () => {
    Reflect.deleteProperty(globalThis, 'BroadcastChannel');
    const tabs = await threeTabs();
    await act(tabs[0]);
    await act(tabs[2]);
    pass(1_000);
    assert.deepEqual(reports(tabs), [1, 0, 1]);
  });
});

describe('a tab without a connection', () => {
  /** @type {Tab[]} */
  let tabs;

  beforeEach(async () => {
    tabs = await threeTabs();
    tabs[2].socket.drop();
  });

  it('hears of the end from the others, whole', async () => {
    tabs[0].socket.frame({ type: 'ended', reason: 'admin', event: 'e1', at: 1 });
    await settled();
    for (const tab of tabs) assert.equal(tab.fields('ended')?.event, 'e1');
    const attempts = FakeSocket.all.length;
    pass(300_000);
    assert.equal(FakeSocket.all.length, attempts);
  });

  it('hears of an end that only a question found', async () => {
    server.ended('terminated');
    await tabs[0].session.verify();
    await settled();
    assert.equal(tabs[2].fields('ended')?.reason, 'terminated');
  });

  it('is warned, and told that somebody stayed, once each', async () => {
    const before = tabs[2].told.length;
    for (const tab of tabs.slice(0, 2)) tab.socket.frame({ type: 'expiring', reason: 'idle_timeout', in_ms: 9 });
    await settled();
    for (const tab of tabs.slice(0, 2)) tab.socket.frame({ type: 'extended', idle_expires_at: 1, absolute_expires_at: 2 });
    await settled();
    assert.deepEqual(tabs[2].types.slice(before), ['expiring', 'extended']);
  });

  it('is warned once where there are no locks, so that every tab passes it on', async () => {
    for (const tab of tabs) tab.session.close();
    navigate({});
    const [first, second, alone] = await threeTabs();
    alone.socket.drop();
    for (const tab of [first, second]) tab.socket.frame({ type: 'expiring', reason: 'idle_timeout', in_ms: 9 });
    await settled();
    assert.equal(alone.types.filter((type) => type === 'expiring').length, 1);
  });

  it('keeps its person signed in over HTTP, and then all tabs know', async () => {
    server.lives();
    for (const tab of tabs.slice(0, 2)) tab.socket.frame({ type: 'expiring', reason: 'idle_timeout', in_ms: 9 });
    await settled();
    tabs[2].session.stayActive();
    await settled();
    for (const tab of tabs) assert.equal(tab.types.at(-1), 'extended');
    assert.equal(tabs[0].fields('extended').idle_expires_at, 1_800);
  });

  it('does not hear of another session', async () => {
    const stranger = new Tab({ session: 's2' });
    tabs[0].socket.frame({ type: 'ended', reason: 'admin', event: 'e1', at: 1 });
    await settled();
    assert.deepEqual(stranger.types, []);
  });
});
