// @ts-check
/** The account page, kept true while it is open. The server renders the list; this only fetches it again. */

import { text } from './texts.js';

const RELATIVE_EVERY_MS = 15_000;
const UNITS = /** @type {const} */ ([['days', 86_400], ['hours', 3_600], ['minutes', 60]]);

/** @param {import('./session.js').LiveSession} session */
export function keepSessionsCurrent(session) {
  if (!document.getElementById('sessions')) return;
  const refresh = oneAtATime(refreshSessions);
  session.on('sessions', refresh);
  session.on('hello', refresh); // what changed while there was no connection
  showRelativeTimes();
  setInterval(showRelativeTimes, RELATIVE_EVERY_MS);
}

async function refreshSessions() {
  const fresh = await fetchDocument('/account');
  for (const id of ['sessions', 'session-count', 'end-sessions']) replaceChildren(id, fresh);
  showRelativeTimes();
}

/**
 * Puts the fresh children in place; who had the focus keeps it, or the list gets it.
 * @param {string} id
 * @param {Document | null} fresh
 */
function replaceChildren(id, fresh) {
  const [old, next] = [document.getElementById(id), fresh?.getElementById(id)];
  if (!old || !next || old.innerHTML === next.innerHTML) return;
  const focused = old.contains(document.activeElement) ? document.activeElement?.id : undefined;
  old.replaceChildren(...next.childNodes);
  if (focused !== undefined) (document.getElementById(focused) ?? document.getElementById('sessions'))?.focus();
}

/**
 * A page as a document. It never is a string, so no script could be made of it by mistake, and
 * Trusted Types have nothing to object to.
 * @param {string} url
 * @returns {Promise<Document | null>}
 */
function fetchDocument(url) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open('GET', url);
    request.responseType = 'document';
    request.onloadend = () => resolve(request.status === 200 ? request.responseXML : null);
    request.send();
  });
}

/**
 * However often it is asked for, the work runs once at a time, and once more if asked meanwhile.
 * @param {() => Promise<void>} work
 */
function oneAtATime(work) {
  let [running, again] = [false, false];
  return async () => {
    again = true;
    if (running) return;
    running = true;
    while (again) {
      again = false;
      await work();
    }
    running = false;
  };
}

function showRelativeTimes() {
  for (const time of document.querySelectorAll('time[data-relative]')) {
    const at = new Date(/** @type {HTMLTimeElement} */ (time).dateTime);
    time.textContent = ago((Date.now() - at.getTime()) / 1_000);
    time.setAttribute('title', at.toLocaleString());
  }
}

/**
 * The same words as the server's: "just now", "5 minutes ago".
 * @param {number} seconds
 */
function ago(seconds) {
  const fit = UNITS.find(([, size]) => seconds >= size);
  return fit ? text(`ago.${fit[0]}`, { count: Math.trunc(seconds / fit[1]) }) : text('ago.now');
}
