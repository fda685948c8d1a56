// @ts-check
/** The texts of a page in its scripts, with the same choice of forms as on the server. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hasText, text } from '../../static/js/texts.js';

const WORDS = {
  'a.tabs': { none: 'no tab', one: '{count} tab', other: '{count} tabs' },
  'a.pages': { one: '{count} page', other: '{count} pages' },
  'a.name': 'Hello {name}, {name}!',
};
const block = { textContent: JSON.stringify(WORDS) };
Object.assign(globalThis, { document: { getElementById: (/** @type {string} */ id) => (id === 'texts' ? block : null) } });

test('a text that counts has the form of its number', () => {
  assert.deepEqual([0, 1, 2, 11].map((count) => text('a.tabs', { count })), ['no tab', '1 tab', '2 tabs', '11 tabs']);
  assert.deepEqual([0, 1].map((count) => text('a.pages', { count })), ['0 pages', '1 page']);
});

test('what is filled in is taken to the letter', () => {
  assert.equal(text('a.name', { name: '{name} $& <b>' }), 'Hello {name} $& <b>, {name} $& <b>!');
});

test('a text that the page does not have is told by its key, also where its name is one of every object', () => {
  assert.equal(text('a.nothing'), 'a.nothing');
  assert.equal(text('toString'), 'toString');
  assert.equal(hasText('a.nothing'), false);
  assert.equal(hasText('a.name'), true);
});
