// @ts-check
/**
 * Keeps the page of nodes and ends current while it is visible. The server renders the page; this
 * script only fetches it again.
 */

import { fetchOwnPage, oneAtATime, whenVisible } from './fresh.js';
import { at } from './protocol.js';

const EVERY_MS = 2_000;

const refresh = whenVisible(oneAtATime(async () => {
  const fresh = await fetchOwnPage(at('/admin/live'));
  if (!fresh) return;
  if (fresh.getElementById('ends')) {
    ['nodes', 'ends'].forEach((id) => showEntries(id, fresh));
    ['node-count', 'end-count'].forEach((id) => showCount(id, fresh));
  } else stop(); // the password was proved too long ago, or the right is gone
}));
const timer = setInterval(refresh, EVERY_MS);

function stop() {
  clearInterval(timer);
  document.getElementById('stale')?.removeAttribute('hidden');
}

/**
 * Updates a list. Entries that stay keep their place and their link, so that the focus stays, too.
 * @param {string} id
 * @param {Document} fresh
 */
function showEntries(id, fresh) {
  const [list, next] = [document.getElementById(id), fresh.getElementById(id)];
  if (!list || !next) return;
  const here = new Map([...list.children].map((entry) => [entry.id, entry]));
  const entries = [...next.children].map((entry) => {
    const same = here.get(entry.id);
    const told = entry.querySelector('.told');
    if (told) same?.querySelector('.told')?.replaceWith(told);
    return same ?? entry;
  });
  for (const entry of [...list.children]) if (!entries.includes(entry)) entry.remove();
  entries.forEach((entry, place) => {
    if (list.children[place] !== entry) list.insertBefore(entry, list.children[place] ?? null);
  });
}

/**
 * Screen readers announce a count, and only when it changes.
 * @param {string} id
 * @param {Document} fresh
 */
function showCount(id, fresh) {
  const [count, next] = [document.getElementById(id), fresh.getElementById(id)];
  if (count && next && count.textContent !== next.textContent) count.textContent = next.textContent;
}
