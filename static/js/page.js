// @ts-check
/**
 * What every signed-in page does: it knows at any time whether its session lives, and shows
 * nothing private once it does not.
 *
 * Three ways lead to the truth: the live connection, a sibling tab, and the question to the server
 * (`verify`) whenever this page may have slept. No answer is no end: then the page waits.
 */

import { keepSessionsCurrent } from './account.js';
import { warnBeforeExpiry } from './expiry.js';
import { shareNotes } from './notes.js';
import { connectSession } from './session.js';
import { hasText, text } from './texts.js';

const READING_TIME_MS = 1_500;
const FORM_PATIENCE_MS = 5_000;
const ACTIVITY_EVERY_MS = 30_000;
const ANSWER_WITHIN_MS = 5_000;

const root = document.documentElement;
const ownId = document.body.dataset.session;
const session = connectSession({ url: new URL('/ws', location.href.replace(/^http/, 'ws')) });
const siblings = new BroadcastChannel('curfew');

let ended = false;
let formUnderWay = false;
let keepCovered = false;

// ── The line that says how the connection is ──────────────────────────────────────────────────

/**
 * @param {'connecting' | 'live' | 'hold' | 'offline' | 'refused' | 'ended'} state
 * @param {string} words
 */
function showConnection(state, words) {
  const line = document.getElementById('connection');
  if (!line) return;
  line.dataset.state = state;
  line.hidden = false;
  line.textContent = words;
}

showConnection('connecting', text('connection.connecting'));
session.on('hello', () => showConnection('live', text('connection.live')));
session.on('hold', () => showConnection('hold', text('connection.hold')));
session.on('resume', () => showConnection('live', text('connection.live')));
session.on('offline', ({ retry_in_ms }) => (retry_in_ms === null
  ? showConnection('refused', text('connection.refused'))
  : showConnection('offline', text('connection.offline'))));

// ── The end ───────────────────────────────────────────────────────────────────────────────────

/**
 * Takes everything private off the page, says why, and leaves for the login page.
 * @param {string} reason
 */
function end(reason) {
  if (ended) return;
  ended = true;
  session.close();
  siblings.postMessage({ type: 'ended', session: ownId, reason });
  document.querySelectorAll('[data-private]').forEach((element) => element.remove());
  delete document.body.dataset.user;
  root.removeAttribute('data-unverified');
  showConnection('ended', text('connection.ended'));
  showReason(reason);
  // A form of this page on its way (logging out, say) brings a page of its own.
  setTimeout(() => location.replace(loginPath(reason)), formUnderWay ? FORM_PATIENCE_MS : READING_TIME_MS);
}

/** @param {string} reason */
function showReason(reason) {
  const [heading, sentence, link] = ['h1', 'p', 'a'].map((name) => document.createElement(name));
  heading.textContent = text('ended.heading');
  sentence.textContent = text(hasText(`reason.${reason}`) ? `reason.${reason}` : 'ended.unknown');
  link.textContent = text('ended.log_in');
  link.setAttribute('href', loginPath(reason));
  document.getElementById('ended')?.replaceChildren(heading, sentence, link);
}

/** @param {string} reason */
const loginPath = (reason) => (reason ? `/login?reason=${encodeURIComponent(reason)}` : '/login');

session.on('ended', ({ reason }) => end(reason));
siblings.addEventListener('message', ({ data }) => {
  if (data.type === 'ended' && data.session === ownId) end(data.reason);
});
document.addEventListener('submit', ({ target, defaultPrevented }) => {
  formUnderWay ||= !defaultPrevented && /** @type {HTMLFormElement} */ (target).method === 'post';
});

// ── The question, whenever this page may have missed something ────────────────────────────────

/**
 * Covers what is private until the server says that the session lives. Without an answer the page
 * is as it was, except that one out of the back-forward cache stays covered until the next `hello`.
 * @param {{restored?: boolean}} how
 */
async function verify({ restored = false } = {}) {
  if (ended) return;
  keepCovered ||= restored; // it becomes visible as well, which is no reason to uncover it
  root.setAttribute('data-unverified', '');
  const response = await fetch('/api/session', { cache: 'no-store', signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })
    .catch(() => null);
  const answer = await response?.json().catch(() => null);
  if (response?.status === 401) end(answer?.reason ?? '');
  else if (response?.ok && answer) recognise(answer.session.id);
  else if (keepCovered) showConnection('offline', text('connection.unverified'));
  else root.removeAttribute('data-unverified');
}

/**
 * Shows the page again, or loads it anew if the browser has another session by now.
 * @param {string} id
 */
function recognise(id) {
  keepCovered = false;
  if (id === ownId) root.removeAttribute('data-unverified');
  else location.reload();
}

session.on('hello', (hello) => recognise(hello.session.id));
addEventListener('online', () => verify());
addEventListener('pageshow', ({ persisted }) => {
  formUnderWay = false;
  if (persisted) verify({ restored: true });
});
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState === 'visible') verify();
});

// ── A person is here ──────────────────────────────────────────────────────────────────────────

let quietUntil = 0;
for (const type of ['pointerdown', 'keydown']) {
  addEventListener(type, ({ timeStamp }) => {
    if (timeStamp < quietUntil || !session.stayActive()) return;
    quietUntil = timeStamp + ACTIVITY_EVERY_MS;
  }, { passive: true });
}

warnBeforeExpiry(session);
keepSessionsCurrent(session);
shareNotes(session);
