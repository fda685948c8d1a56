// @ts-check
/**
 * What every page does with its session while somebody is signed in. It shows the state of the
 * connection, hides private content while the session is not verified, and goes to the login page
 * when the session has ended.
 */

import { keepSessionsCurrent } from './account.js';
import { cover, uncover } from './cover.js';
import { warnBeforeExpiry } from './expiry.js';
import { shareNotes } from './notes.js';
import { connectSession } from './session.js';
import { hasText, text } from './texts.js';

const READING_TIME_MS = 1_500;
const FORM_PATIENCE_MS = 5_000;

const session = connectSession({ url: '/ws', session: document.body.dataset.session });

let formUnderWay = false;

// ── The state of the connection ───────────────────────────────────────────────────────────────

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

/** Removes all private content from the page, says why, and goes to the login page. */
session.on('ended', ({ reason }) => {
  document.querySelectorAll('[data-private]').forEach((element) => element.remove());
  delete document.body.dataset.user;
  dropCaches();
  uncover();
  showConnection('ended', text('connection.ended'));
  showReason(reason);
  // A form that is being sent, such as the one for logging out, brings a page of its own.
  setTimeout(() => location.replace(loginPath(reason)), formUnderWay ? FORM_PATIENCE_MS : READING_TIME_MS);
});

/** @param {string} reason */
function showReason(reason) {
  const [heading, sentence, link] = ['h1', 'p', 'a'].map((name) => document.createElement(name));
  heading.textContent = text('ended.heading');
  sentence.textContent = text(hasText(`reason.${reason}`) ? `reason.${reason}` : 'ended.unknown');
  link.textContent = text('ended.log_in');
  link.setAttribute('href', loginPath(reason));
  document.getElementById('ended')?.replaceChildren(heading, sentence, link);
}

/** Deletes what scripts of this origin have cached, as it may be private. */
async function dropCaches() {
  // `Clear-Site-Data` of a logout may delete them at the same moment; then Firefox refuses.
  const names = await globalThis.caches?.keys().catch(() => []) ?? [];
  for (const name of names) caches.delete(name).catch(() => {});
}

/**
 * Returns the address of the login page; after signing in there a person comes back to this page.
 * @param {string} reason
 */
const loginPath = (reason) => `/login?${new URLSearchParams({ ...(reason && { reason }), next: location.pathname })}`;

document.addEventListener('submit', ({ target, defaultPrevented }) => {
  formUnderWay ||= !defaultPrevented && /** @type {HTMLFormElement} */ (target).method === 'post';
});

// ── While the session is not verified ─────────────────────────────────────────────────────────

session.on('unverified', cover);
session.on('verified', uncover);
// Without an answer the session has not ended, so the page shows its content again. A page from the
// back-forward cache stays covered.
session.on('unanswered', ({ restored }) => (restored
  ? showConnection('offline', text('connection.unverified'))
  : uncover()));
addEventListener('pageshow', () => { formUnderWay = false; });

warnBeforeExpiry(session);
keepSessionsCurrent(session);
shareNotes(session);
