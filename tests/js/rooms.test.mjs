// @ts-check
/** A room of a page: it joins again after each reconnect, from the last message that it has. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Room } from '../../static/js/rooms.js';

class FakeSession extends EventTarget {
  /** @type {object[]} */
  sent = [];

  /** @param {object} frame */
  write(frame) {
    this.sent.push(frame);
    return true;
  }

  /** @param {any} frame */
  hear(frame) {
    this.dispatchEvent(new CustomEvent(frame.type, { detail: frame }));
  }
}

/** @param {string} name */
const opened = (name) => {
  const session = new FakeSession();
  const room = new Room(/** @type {any} */ (session), name);
  session.sent.length = 0;
  return { session, room };
};

test('it joins behind the last message that it has', () => {
  const { session, room } = opened('den');
  /** @type {unknown[]} */
  const heard = [];
  room.on('published', ({ data }) => heard.push(data));
  session.hear({ type: 'hello' });
  session.hear({ type: 'joined', room: 'den', position: 'e.1' });
  session.hear({ type: 'published', room: 'den', position: 'e.2', data: 'ours' });
  session.hear({ type: 'published', room: 'attic', position: 'e.9', data: 'theirs' });
  session.hear({ type: 'hello' });
  assert.deepEqual(session.sent, [{ type: 'join', room: 'den' }, { type: 'join', room: 'den', after: 'e.2' }]);
  assert.deepEqual(heard, ['ours']);
});

test('a page that shows messages already joins behind the last of them', () => {
  const session = new FakeSession();
  const room = new Room(/** @type {any} */ (session), 'den', 'e.7');
  session.hear({ type: 'joined', room: 'den', position: 'e.9' });
  room.leave();
  assert.deepEqual(session.sent, [{ type: 'join', room: 'den', after: 'e.7' }, { type: 'leave', room: 'den' }]);
});

test('it asks again where nobody can say whether it was removed', () => {
  const { session, room } = opened('den');
  /** @type {unknown[]} */
  const left = [];
  room.on('left', (frame) => left.push(frame));
  session.hear({ type: 'published', room: 'den', position: 'e.2', data: 1 });
  session.hear({ type: 'left', room: 'den', reason: 'unverified' });
  assert.deepEqual(session.sent, [{ type: 'join', room: 'den', after: 'e.2' }]);
  assert.deepEqual(left, []);
});

test('it acknowledges, asks who is there, and does not come back to a room that it was removed from', () => {
  const { session, room } = opened('den');
  session.hear({ type: 'published', room: 'den', position: 'e.2', data: 1, ack: 'm' });
  room.askPresence();
  session.hear({ type: 'left', room: 'den', reason: 'removed' });
  session.hear({ type: 'hello' });
  assert.deepEqual(session.sent, [{ type: 'ack', id: 'm' }, { type: 'presence', room: 'den' }]);
  room.leave();
  assert.deepEqual(session.sent.at(-1), { type: 'leave', room: 'den' });
});
