// @ts-check
/**
 * Keeps the list of sessions up to date while a page is open. The server renders the list; this
 * script only fetches it again. A page without the list announces new sign-ins by it.
 */

import { fetchOwnPage, oneAtATime, whenVisible } from './fresh.js';
import { announceNewSessions } from './news.js';
import { at } from './protocol.js';
import { text } from './texts.js';

const RELATIVE_EVERY_MS = 15_000;
const REFRESH_EVERY_MS = 60_000;
const UNITS = /** @type {const} */ ([['days', 86_400], ['hours', 3_600], ['minutes', 60]]);

/** How far the server's clock is ahead of this machine's. */
let aheadMs = 0;

/** @param {import('./session.js').LiveSession} session */
export function keepSessionsCurrent(session) {
  const announce = announceNewSessions(document.getElementById('sessions') && entriesOf(document));
  const refresh = whenVisible(oneAtATime(async () => {
    const fresh = await fetchOwnPage(at('/account'));
    if (!fresh) return;
    announce(entriesOf(fresh));
    if (document.getElementById('sessions')) showList(fresh);
  }));
  session.on('sessions', refresh);
  session.on('hello', ({ now }) => {
    aheadMs = now * 1_000 - Date.now();
    refresh(); // the list may have changed while there was no connection
  });
  // The server sends no frame when another device is used, so the list is also fetched now and then.
  const timer = document.getElementById('sessions') && setInterval(refresh, REFRESH_EVERY_MS);
  session.on('ended', () => clearInterval(timer ?? undefined));
  showRelativeTimes();
  setInterval(showRelativeTimes, RELATIVE_EVERY_MS);
}

/** @param {Document} page */
const entriesOf = (page) => [...page.querySelectorAll('#sessions > li')].map((entry) => /** @type {HTMLElement} */ (entry));

/**
 * Updates the list. Entries that stay keep their place and their button, so that nothing moves away
 * under a finger. New ones come second, after this device.
 * @param {Document} fresh
 */
function showList(fresh) {
  const list = /** @type {HTMLElement} */ (document.getElementById('sessions'));
  const focused = document.activeElement;
  const next = new Map(entriesOf(fresh).map((entry) => [entry.dataset.session, entry]));
  for (const entry of entriesOf(document)) {
    const same = next.get(entry.dataset.session);
    if (!same) entry.remove();
    else entry.querySelector('.who')?.replaceWith(/** @type {Element} */ (same.querySelector('.who')));
    next.delete(entry.dataset.session);
  }
  list.firstElementChild?.after(...next.values());
  for (const id of ['session-count', 'end-sessions', 'activity']) replaceChildren(id, fresh);
  showRelativeTimes();
  // If the focused element is gone, the focus goes to the list, not to the top of the page.
  if (focused && focused !== document.body && !focused.isConnected) list.focus();
}

/**
 * @param {string} id
 * @param {Document} fresh
 */
function replaceChildren(id, fresh) {
  const [old, next] = [document.getElementById(id), fresh.getElementById(id)];
  if (old && next && old.innerHTML !== next.innerHTML) old.replaceChildren(...next.childNodes);
}

function showRelativeTimes() {
  for (const time of document.querySelectorAll('time[data-relative]')) {
    const at = new Date(/** @type {HTMLTimeElement} */ (time).dateTime);
    time.textContent = ago((Date.now() + aheadMs - at.getTime()) / 1_000);
    time.setAttribute('title', at.toLocaleString());
  }
}

/**
 * Returns the same words as the server: "just now", "5 minutes ago".
 * @param {number} seconds
 */
function ago(seconds) {
  const fit = UNITS.find(([, size]) => seconds >= size);
  return fit ? text(`ago.${fit[0]}`, { count: Math.trunc(seconds / fit[1]) }) : text('ago.now');
}
