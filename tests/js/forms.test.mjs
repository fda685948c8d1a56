/** What a page says of a new password while it is typed. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

globalThis.document = /** @type {any} */ ({ querySelectorAll: () => [] });
const { judge } = await import('../../static/js/forms.js');

/** @type {(password: string, username?: string) => string} */
const said = (password, username = 'ada') => judge(password, username, 15).key;

test('what is missing is counted in characters, as the server counts them', () => {
  assert.deepEqual(judge('', 'ada', 15), { key: 'short', level: 'weak', missing: 15 });
  assert.equal(judge('🌙'.repeat(14), 'ada', 15).key, 'shortOne');
  assert.equal(judge('u\u0308'.repeat(14), 'ada', 15).missing, 1);
});

test('what is easy to guess is told', () => {
  assert.equal(said('my name is Ada, hello'), 'named');
  assert.equal(said('aaaaaaaaaaaaaaaaaaaa'), 'repeated');
  assert.equal(said('password123password123'), 'repeated');
  assert.equal(said('ababab aaabbb a b a b', ''), 'repeated');
});

test('a name that is too short to be known is no part of it', () => {
  assert.equal(said('eleven herons on the ferry', 'on'), 'good');
});

test('longer and more varied is stronger', () => {
  assert.equal(said('seven wet goats'), 'fair');
  assert.equal(said('eleven herons on the ferry'), 'good');
});
