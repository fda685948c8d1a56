// @ts-check
/** Announces sign-ins to the account on other devices, in every tab, also to screen readers. */

import { at } from './protocol.js';
import { text } from './texts.js';

/**
 * Returns a function that announces the sessions that are new since the last call.
 * @param {HTMLElement[] | null} listed the entries of the list when the page loaded; null without a list
 */
export function announceNewSessions(listed) {
  const idOf = (/** @type {HTMLElement} */ entry) => entry.dataset.session;
  let known = listed && new Set(listed.map(idOf));
  return (/** @type {HTMLElement[]} */ entries) => {
    if (known) entries.filter((entry) => !known?.has(idOf(entry))).forEach(announce);
    known = new Set(entries.map(idOf));
  };
}

/** @param {HTMLElement} entry */
function announce({ dataset: { device = '', address = '' } }) {
  const [item, words, actions, link, close] = ['div', 'p', 'p', 'a', 'button'].map((name) => document.createElement(name));
  item.className = 'notice';
  actions.className = 'actions';
  words.textContent = text('news.signed_in', { device, address });
  link.textContent = text('news.look');
  link.setAttribute('href', at('/account'));
  close.textContent = text('news.close');
  close.addEventListener('click', () => item.remove());
  actions.append(link, close);
  item.append(words, actions);
  document.getElementById('news')?.append(item);
}
