// @ts-check
/** The dialog that counts down: what it shows, what is read aloud, and how it goes away. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { warnBeforeExpiry } from '../../static/js/expiry.js';
import { FakeSocket, Tab, begin, end, liveTab, pass, server, settled } from './doubles.mjs';

/** The part of an element that the dialog needs. */
class FakeElement extends EventTarget {
  open = false;
  hidden = false;
  className = '';
  attributes = new Map();
  /** @type {FakeElement[]} */
  children = [];
  /** @type {string[]} all texts that it had, in order */
  texts = [];

  /** @param {string} text */
  set textContent(text) { this.texts.push(text); }

  /** @type {(name: string, value: string) => void} */
  setAttribute(name, value) { this.attributes.set(name, value); }

  /** @param {FakeElement} child */
  append(child) { this.children.push(child); }

  showModal() { this.open = true; }

  close() {
    if (this.open) queueMicrotask(() => this.dispatchEvent(new Event('close')));
    this.open = false;
  }
}

/** A tab with the dialog. */
function dialogTab() {
  const tab = liveTab();
  /** @type {Record<string, FakeElement>} */
  const elements = { 'expiring': new FakeElement(), 'expiring-clock': new FakeElement(), 'stay-active': new FakeElement() };
  const words = { textContent: '{"expiring.about": "You will be signed out in {clock}."}' };
  Object.assign(tab.page, {
    body: { dataset: { session: 's1' } },
    documentElement: { lang: 'en' },
    getElementById: (/** @type {string} */ id) => (id === 'texts' ? words : elements[id]),
    createElement: () => new FakeElement(),
  });
  warnBeforeExpiry(tab.session);
  const [dialog, clock, stay] = Object.values(elements);
  return { tab, dialog, clock, stay, voice: dialog.children[0] };
}

/** @param {Tab} tab */
function warn(tab, in_ms = 120_000, reason = 'idle_timeout') {
  tab.socket.frame({ type: 'expiring', reason, in_ms });
}

/** @param {string[]} texts */
const numbers = (texts) => texts.map((text) => Number(/\d+/.exec(text)?.[0]));

beforeEach(begin);
afterEach(end);

describe('the dialog', () => {
  it('counts down by seconds', () => {
    const { tab, dialog, clock } = dialogTab();
    warn(tab, 61_000);
    pass(2_000);
    assert.equal(dialog.open, true);
    assert.deepEqual(clock.texts, ['1:01', '1:00', '0:59']);
  });

  it('is read aloud when it opens, and with 60, 30 and 10 seconds left, not every second', () => {
    const { tab, voice } = dialogTab();
    warn(tab);
    pass(119_000);
    assert.equal(voice.attributes.get('role'), 'alert');
    assert.deepEqual(numbers(voice.texts), [2, 1, 30, 10]);
  });

  it('is read aloud to the second where that is no whole minute', () => {
    const { tab, voice } = dialogTab();
    warn(tab, 100_000);
    assert.deepEqual(voice.texts, ['You will be signed out in 100 seconds.']);
  });

  it('is read aloud once when it opens late', () => {
    const { tab, voice } = dialogTab();
    warn(tab, 8_000);
    pass(7_000);
    assert.deepEqual(numbers(voice.texts), [8]);
  });

  it('offers to stay where that is possible, at once', () => {
    const { tab, stay } = dialogTab();
    warn(tab);
    assert.equal(stay.hidden, false);
    stay.dispatchEvent(new Event('click'));
    assert.deepEqual(tab.sent, ['activity']);
    warn(tab, 10_000, 'absolute_timeout');
    assert.equal(stay.hidden, true);
  });

  it('goes away when the session goes on, and stops counting', async () => {
    const { tab, dialog, clock } = dialogTab();
    warn(tab);
    tab.socket.frame({ type: 'extended', idle_expires_at: 1, absolute_expires_at: 2 });
    await settled();
    assert.equal(dialog.open, false);
    pass(5_000);
    assert.equal(clock.texts.length, 1);
  });

  it('is told once, also when the connection comes back under the same warning', async () => {
    const { tab, dialog } = dialogTab();
    warn(tab, 60_000);
    dialog.close();
    await settled();
    tab.socket.drop();
    pass(tab.delay);
    FakeSocket.last.greet({ left_ms: 60_000 - tab.delay });
    FakeSocket.last.frame({ type: 'expiring', reason: 'idle_timeout', in_ms: 60_000 - tab.delay });
    assert.equal(dialog.open, false);
  });

  it('goes away when the connection comes back to a later deadline', () => {
    const { tab, dialog } = dialogTab();
    warn(tab, 60_000);
    tab.socket.drop();
    pass(tab.delay);
    FakeSocket.last.greet({ left_ms: 1_800_000 });
    assert.equal(dialog.open, false);
    assert.equal(tab.types.at(-1), 'hello');
  });

  it('goes away when time is up and the server says that the session lives', async () => {
    const { tab, dialog } = dialogTab();
    server.lives();
    warn(tab, 3_000);
    pass(5_000);
    await settled();
    assert.equal(dialog.open, false);
  });

  it('asks the server when time is up and nobody told the end', () => {
    const { tab } = dialogTab();
    warn(tab, 3_000);
    pass(4_000);
    assert.equal(server.asked, 0);
    pass(1_000);
    assert.equal(server.asked, 1);
    pass(9_000);
    assert.equal(server.asked, 1);
  });
});

for (const [way, type] of [['a button', 'submit'], ['Escape', 'cancel']]) {
  it(`who closes it by ${way} in one tab has closed it in all`, async () => {
    const [here, there] = [dialogTab(), dialogTab()];
    for (const { tab } of [here, there]) warn(tab, 60_000, 'absolute_timeout');
    here.dialog.dispatchEvent(new Event(type));
    await settled();
    assert.equal(there.dialog.open, false);
  });
}

it('what takes it back in one tab leaves it to the others to be told', async () => {
  const [here, there] = [dialogTab(), dialogTab()];
  for (const { tab } of [here, there]) warn(tab, 60_000);
  here.dialog.close();
  await settled();
  assert.equal(there.dialog.open, true);
});
