// @ts-check
/**
 * What every page does with its session while somebody is signed in. It shows the state of the
 * connection, hides private content while the session is not verified, and goes to the login page
 * when the session has ended.
 */

import { keepSessionsCurrent } from './account.js';
import { cover, uncover } from './cover.js';
import { session } from './current.js';
import { warnBeforeExpiry } from './expiry.js';
import { shareNotes } from './notes.js';
import { BASE, TABS, at } from './protocol.js';
import { keepStatusCurrent, showStatus } from './status.js';
import { hasText, text } from './texts.js';

const READING_TIME_MS = 1_500;
const FORM_PATIENCE_MS = 5_000;

let formUnderWay = false;

// ── The end ───────────────────────────────────────────────────────────────────────────────────

/** Removes all private content from the page, says why, and goes to the login page. */
session.on('ended', ({ reason }) => {
  document.querySelectorAll('[data-private]').forEach((element) => element.remove());
  delete document.body.dataset.user;
  dropCaches();
  uncover();
  showStatus('ended', text('connection.ended'));
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
  if (BASE) return; // the rest of the origin is not ours
  // `Clear-Site-Data` of a logout may delete them at the same moment; then Firefox refuses.
  const names = await globalThis.caches?.keys().catch(() => []) ?? [];
  for (const name of names) caches.delete(name).catch(() => {});
}

/**
 * Returns the address of the login page; after signing in there a person comes back to this page.
 * @param {string} reason
 */
const loginPath = (reason) => `${at('/login')}?${new URLSearchParams({ ...(reason && { reason }), next: here() })}`;

const here = () => location.pathname + location.search + location.hash;

document.addEventListener('submit', ({ target, defaultPrevented }) => {
  formUnderWay ||= !defaultPrevented && /** @type {HTMLFormElement} */ (target).method === 'post';
});

// ── While the session is not verified ─────────────────────────────────────────────────────────

session.on('unverified', cover);
session.on('verified', uncover);
// Without an answer the session has not ended, so the page shows its content again. A page from the
// back-forward cache stays covered.
session.on('unanswered', ({ restored }) => (restored
  ? showStatus('offline', text('connection.unverified'))
  : uncover()));
addEventListener('pageshow', () => { formUnderWay = false; });

// ── Pages that wait for a sign-in ─────────────────────────────────────────────────────────────

const waiting = globalThis.BroadcastChannel && new BroadcastChannel(TABS);
waiting?.addEventListener('message', ({ data: { frame } }) => {
  if (frame.type === 'waits') waiting.postMessage({ frame: { type: 'joined' } });
});
session.on('ended', () => waiting?.close());

keepStatusCurrent(session);
warnBeforeExpiry(session);
keepSessionsCurrent(session);
shareNotes(session);
