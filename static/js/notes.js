// @ts-check
/** The shared notes of the start page: a note from one tab appears in all tabs and devices of its user. */

import { text } from './texts.js';

/** @param {import('./session.js').LiveSession} session */
export function shareNotes(session) {
  const form = /** @type {HTMLFormElement | null} */ (document.getElementById('note-form'));
  const field = /** @type {HTMLInputElement | null} */ (document.getElementById('note'));
  const problem = document.getElementById('note-problem');
  if (!form || !field || !problem) return;

  let self = '';
  form.hidden = false;
  session.on('hello', ({ connection }) => { self = connection; });
  session.on('message', ({ from, data }) => {
    if (typeof data?.text === 'string') addNote(text('notes.author', { name: shortName(from) }), data.text, false);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const words = field.value.trim();
    if (!words) return;
    const sent = session.send({ text: words });
    problem.textContent = sent ? '' : text('notes.not_sent');
    if (!sent) return;
    addNote(text('notes.own_author', { name: shortName(self) }), words, true);
    field.value = '';
  });
}

/**
 * @param {string} author
 * @param {string} written
 * @param {boolean} own
 */
function addNote(author, written, own) {
  const list = document.getElementById('notes');
  const [item, name, words] = ['li', 'span', 'p'].map((tag) => document.createElement(tag));
  item.classList.toggle('own', own);
  name.textContent = author;
  words.textContent = written;
  item.append(name, words);
  list?.append(item);
  list?.scrollTo({ top: list.scrollHeight });
  document.getElementById('notes-empty')?.remove();
}

/**
 * Returns enough of a connection's id to tell tabs apart.
 * @param {string} connection
 */
const shortName = (connection) => connection.slice(-4);
