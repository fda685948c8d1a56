// @ts-check
/** The line at the top of a page: what works of its connection to the server. */

import { asksToWait } from './protocol.js';
import { text } from './texts.js';

const BACK_WITHIN_MS = 8_000;
const REFUSED = 1006; // also a connection that broke
const GOING_AWAY = 1001; // only the browser itself closes a socket with it

/** @type {ReturnType<typeof setTimeout> | undefined} set while a loss is not shown yet */
let doubting;

/**
 * @param {'connecting' | 'live' | 'hold' | 'limited' | 'offline' | 'refused' | 'ended'} state
 * @param {string} words
 */
export function showStatus(state, words) {
  clearTimeout(doubting);
  doubting = undefined;
  const line = document.getElementById('connection');
  if (!line) return;
  line.dataset.state = state;
  line.hidden = false;
  if (line.textContent !== words) line.textContent = words; // said once, not at every check
}

const shown = () => document.getElementById('connection')?.dataset.state;
const showLive = () => showStatus('live', text('connection.live'));
const showLimited = () => showStatus('limited', text('connection.limited'));
const showOffline = () => showStatus('offline', text('connection.offline'));

/**
 * Shows a loss, unless it is one of no importance. Firefox closes sockets when a page is about to be
 * left, also if it is not left after all: for a download, by Escape, while the next page is slow. And
 * where everything but sockets gets through, every further try is in vain, unless the server itself answers it.
 * @param {{code: number, retry_in_ms: number | null}} loss
 */
function showLoss({ code, retry_in_ms }) {
  if (retry_in_ms === null) return showStatus('refused', text('connection.refused'));
  if ((shown() === 'limited' && !asksToWait(code)) || (shown() === 'connecting' && code === REFUSED)) return; // it asks over HTTP now
  if (shown() === 'live' && (doubting || code === GOING_AWAY)) doubting ??= setTimeout(showOffline, BACK_WITHIN_MS);
  else showOffline();
}

/** @param {import('./session.js').LiveSession} session */
export function keepStatusCurrent(session) {
  showStatus('connecting', text('connection.connecting'));
  session.on('hello', showLive);
  session.on('hold', () => showStatus('hold', text('connection.hold')));
  session.on('resume', showLive);
  session.on('offline', showLoss);
  session.on('checked', ({ answered }) => {
    if (shown() !== 'refused') (answered ? showLimited : showOffline)();
  });
}
