/** A room: shows what is said and who is here, and says what is typed. */

import { session } from '../js/current.js';
import { at } from '../js/protocol.js';
import { Room } from '../js/rooms.js';
import { text } from '../js/texts.js';

const COUNT_EVERY_MS = 20_000; // tabs come and go without a word; only people are announced

const find = (id) => document.getElementById(id);
const make = (tag, words, properties = {}) => Object.assign(document.createElement(tag), { textContent: words }, properties);

const { room: name, after } = find('room').dataset;
const me = document.body.dataset.user;
const room = new Room(session, name, after);

// ── What is said ──────────────────────────────────────────────────────────────────────────────

const clock = (at) => new Date(at).toLocaleTimeString(document.documentElement.lang, { hour: '2-digit', minute: '2-digit' });

function show({ id, kind, user, text: words, at }) {
  if (document.querySelector(`[data-line="${id}"]`)) return; // the page came with it
  const line = make('li', '', { className: kind !== 'said' ? 'event' : user === me ? 'own' : '' });
  line.dataset.line = id;
  if (kind === 'said') {
    const by = make('p', '', { className: 'by' });
    by.append(make('bdi', user), ' ', make('time', clock(at * 1_000), { dateTime: new Date(at * 1_000).toISOString() }));
    line.append(by, make('p', words, { className: 'words', dir: 'auto' }));
  } else {
    line.textContent = text(`chat.${kind}`, { user });
  }
  const next = [...list.children].find((each) => Number(each.dataset.line) > id);
  list.insertBefore(line, next ?? null);
  if (follows || user === me) toEnd();
}

const list = find('lines');
const toEnd = () => list.scrollTo({ top: list.scrollHeight });
const last = () => list.lastElementChild?.dataset.line ?? 0;
let seen = last();
let follows = true; // unless somebody reads what is above
list.addEventListener('scroll', () => { follows = list.scrollTop + list.clientHeight > list.scrollHeight - 60; });
new ResizeObserver(() => follows && toEnd()).observe(list); // a keyboard came up, or the phone was turned

for (const time of list.querySelectorAll('time')) time.textContent = clock(time.dateTime);

room.on('published', ({ data }) => show(data));
room.on('joined', () => { seen = last(); }); // what was missed comes behind this
room.on('replayed', ({ complete }) => complete || catchUp(seen));
room.on('lost', () => catchUp(last()));

/** Asks for what the room itself has not kept, and says if that is not all either. */
async function catchUp(after) {
  const answer = await fetch(at(`/api/rooms/${name.split(':')[1]}/lines?after=${after}`)).catch(() => null);
  const { lines, complete } = answer?.ok ? await answer.json() : { lines: [], complete: false };
  lines.forEach(show);
  find('behind').hidden = complete;
}

// ── Who is here ───────────────────────────────────────────────────────────────────────────────

room.on('present', ({ people }) => find('people').replaceChildren(...people.map(({ user, sockets }) => {
  const person = make('li', '', { className: 'badge' });
  person.append(make('bdi', user), sockets > 1 ? ` ${text('chat.tabs', { count: sockets })}` : '');
  return person;
})));
room.on('presence', ({ user, change }) => {
  find('came').textContent = text(change === 'come' ? 'chat.came' : 'chat.gone', { user });
  room.askPresence();
});
room.on('joined', () => room.askPresence());
setInterval(() => document.hidden || room.askPresence(), COUNT_EVERY_MS);

// ── Say something ─────────────────────────────────────────────────────────────────────────────

const field = find('text');
let said = '';

find('say').addEventListener('submit', (event) => {
  event.preventDefault();
  if (!field.value.trim()) return;
  const isSent = session.write({ type: 'say', room: name, text: field.value });
  find('problem').textContent = isSent ? '' : text('chat.offline');
  if (isSent) [said, field.value] = [field.value, ''];
});
session.on('error', ({ room: about }) => {
  if (about) return; // it was about joining, or who is here
  find('problem').textContent = text('chat.refused');
  field.value ||= said; // nothing typed is lost
});

// ── The end ───────────────────────────────────────────────────────────────────────────────────

const leave = () => {
  for (const part of ['say', 'here']) find(part)?.remove();
  find('behind').hidden = true;
  find('out').hidden = false;
};
room.on('left', leave);
room.on('error', ({ code }) => { if (code === 'not_a_member') leave(); });
