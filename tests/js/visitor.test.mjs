// @ts-check
/** A page that waits for a sign-in notices it, whatever happens to the first question. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { TABS } from '../../static/js/protocol.js';
import { begin, end, pass, server, settled } from './doubles.mjs';

const SIGNED_OUT = { status: 401, body: { type: '/problems/unauthenticated' } };
const UNAVAILABLE = { status: 503, body: { type: '/problems/unavailable' } };

/** @type {string[]} */
let left = [];
/** @type {any[]} */
let said = [];
/** @type {BroadcastChannel} */
let otherTab;
let page = { hidden: false };
/** @type {Record<string, object>} */
let found = {};
let number = 0;

beforeEach(async () => {
  begin();
  [left, said] = [[], []];
  page = { hidden: false };
  const field = { value: '', defaultValue: '', matches: () => false };
  const ofSwitches = { value: '/signup' };
  found = {};
  Object.assign(globalThis, {
    CSS: { supports: () => false },
    addEventListener: () => {},
    document: Object.assign(page, {
      addEventListener: () => {},
      querySelector: (/** @type {string} */ words) => found[words] ?? null,
      querySelectorAll: (/** @type {string} */ words) => (words.startsWith('main') ? [field] : [ofSwitches]),
    }),
    location: { hash: '', search: '', replace: (/** @type {string} */ to) => left.push(to) },
  });
  otherTab = new BroadcastChannel(TABS);
  otherTab.onmessage = ({ data }) => said.push(data);
  server.answer = SIGNED_OUT;
  number += 1;
  await import(`../../static/js/visitor.js?${number}`); // a page of its own
  await settled();
});

afterEach(end);

async function joins() {
  otherTab.postMessage({ session: 's2', frame: { type: 'joined' } });
  await settled();
  pass(1);
  await settled();
}

describe('a sign-in in another tab', () => {
  it('is noticed', async () => {
    server.lives();
    await joins();
    assert.deepEqual(left, ['/login']);
  });

  it('leads to where the form of the page leads', async () => {
    found['main input[name=next]'] = { value: '/account?tab=files#activity' };
    server.lives();
    await joins();
    assert.deepEqual(left, ['/login?next=%2Faccount%3Ftab%3Dfiles%23activity']);
  });

  it('is noticed if the server could not answer at first', async () => {
    for (const nothing of [null, UNAVAILABLE]) {
      server.answer = nothing;
      await joins();
      assert.deepEqual(left, []);
    }
    server.lives();
    pass(5_000);
    await settled();
    assert.deepEqual(left, ['/login']);
  });

  it('is noticed if it happens while an earlier question is on its way', async () => {
    let answers = () => {};
    server.pause = new Promise((resolve) => { answers = () => resolve(undefined); });
    await joins(); // the tab of a session that is over: nobody is signed in
    server.lives();
    await joins();
    answers();
    await settled();
    assert.deepEqual(left, ['/login']);
  });

  it('begins no second departure', async () => {
    server.lives();
    await joins();
    await joins();
    assert.deepEqual(left, ['/login']);
  });
});

it('a page that waits says so, as signed-in tabs may have spoken before it listened', () => {
  assert.deepEqual(said, [{ frame: { type: 'waits' } }]);
});

it('a page that was answered asks nothing by itself', async () => {
  await joins();
  const { asked } = server;
  pass(120_000);
  await settled();
  assert.equal(server.asked, asked);
});

it('a hidden page asks only once: it asks again when it is seen', async () => {
  page.hidden = true;
  server.answer = null;
  await joins();
  pass(120_000);
  await settled();
  assert.equal(server.asked, 1);
});
