// @ts-check
/** The shared notes of the start page: what one tab writes, every tab and device of the same person reads. */

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
    if (typeof data?.text === 'string') addNote(`tab ${shortName(from)}`, data.text, false);
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const text = field.value.trim();
    if (!text) return;
    const sent = session.send({ text });
    problem.textContent = sent ? '' : 'Not sent: there is no connection now. Your text stays here.';
    if (!sent) return;
    addNote(`this tab, ${shortName(self)}`, text, true);
    field.value = '';
  });
}

/**
 * @param {string} author
 * @param {string} text
 * @param {boolean} own
 */
function addNote(author, text, own) {
  const list = document.getElementById('notes');
  const [item, name, words] = ['li', 'span', 'p'].map((tag) => document.createElement(tag));
  item.classList.toggle('own', own);
  name.textContent = author;
  words.textContent = text;
  item.append(name, words);
  list?.append(item);
  list?.scrollTo({ top: list.scrollHeight });
  document.getElementById('notes-empty')?.remove();
}

/**
 * Enough of a connection's name to tell tabs apart.
 * @param {string} connection
 */
const shortName = (connection) => connection.slice(-4);
