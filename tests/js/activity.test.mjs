// @ts-check
/** How the server learns that a person is active, and how that renews the cookie. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { act, begin, end, liveTab, passLive, reports, server, settled, threeTabs } from './doubles.mjs';

const REPORT_EVERY_MS = 30_000;
const ASK_EVERY_MS = 300_000;
const INTERACTIONS = ['pointerdown', 'keydown', 'input', 'click'];

beforeEach(begin);
afterEach(end);

describe('activity of a person', () => {
  for (const type of INTERACTIONS) {
    it(`is reported for a ${type}`, async () => {
      const tab = liveTab();
      await settled();
      tab.page.fire(type);
      assert.deepEqual(tab.sent, ['activity']);
    });
  }

  it('is not reported for events that a script makes', async () => {
    const tab = liveTab();
    await settled();
    await act(tab, { isTrusted: false });
    assert.deepEqual(tab.sent, []);
  });

  it('is not reported when only time passes', async () => {
    const tab = liveTab();
    await settled();
    passLive([tab], 2 * ASK_EVERY_MS);
    assert.deepEqual(reports([tab]), [0]);
    assert.equal(server.asked, 0);
  });

  it('is reported at once, then at most every 30 s', async () => {
    const tab = liveTab();
    await settled();
    for (let second = 0; second < 60; second += 1) {
      tab.page.fire('keydown');
      passLive([tab], 1_000);
    }
    assert.deepEqual(reports([tab]), [60_000 / REPORT_EVERY_MS]);
  });

  it('is reported at once after a warning, however little time has passed', async () => {
    const tab = liveTab();
    await settled();
    await act(tab);
    tab.socket.frame({ type: 'expiring', reason: 'idle_timeout', in_ms: 60_000 });
    await act(tab);
    assert.deepEqual(reports([tab]), [2]);
  });
});

describe('the cookie', () => {
  beforeEach(() => server.lives());

  it('is renewed by one request of one tab while a person is active', async () => {
    const tabs = await threeTabs();
    for (const tab of tabs) await act(tab);
    assert.equal(server.asked, 0);
    passLive(tabs, ASK_EVERY_MS);
    for (const tab of tabs) await act(tab);
    assert.deepEqual(server.activity, [true]);
  });

  it('is not renewed by a tab that is not elected, even if a person asks to stay', async () => {
    const tabs = await threeTabs();
    passLive(tabs, ASK_EVERY_MS);
    tabs[1].session.stayActive();
    await settled();
    assert.deepEqual(reports(tabs), [0, 1, 0]);
    assert.equal(server.asked, 0);
  });

  it('is brought back by one request after it was renewed', async () => {
    const tabs = await threeTabs();
    for (const tab of tabs) tab.socket.frame({ type: 'rotated', generation: 2 });
    assert.equal(server.asked, 0);
    for (const tab of tabs) await act(tab);
    assert.equal(server.asked, 1);
    passLive(tabs, REPORT_EVERY_MS);
    for (const tab of tabs) await act(tab);
    assert.equal(server.asked, 1);
  });

  it('is brought back also if it was told of before the answer came', async () => {
    const tab = liveTab();
    tab.socket.frame({ type: 'rotated', generation: 2 });
    await settled();
    tab.page.fire('keydown');
    tab.socket.frame({ type: 'rotated', generation: 3 });
    await settled();
    passLive([tab], REPORT_EVERY_MS);
    await act(tab);
    assert.equal(server.asked, 2);
  });

  it('is not asked for by a page that nobody uses', async () => {
    const tab = liveTab();
    tab.socket.frame({ type: 'rotated', generation: 2 });
    passLive([tab], 2 * ASK_EVERY_MS);
    await settled();
    assert.equal(server.asked, 0);
  });
});
