// @ts-check
/**
 * The dialog that counts down before a session times out. All tabs open and close it together: each is
 * told by the server, or by another tab. Any key or click is enough to stay signed in (WCAG 2.2.1).
 */

import { text } from './texts.js';

const GRACE_MS = 2_000;

/** Seconds left at which a screen reader reads the time; each second would leave no room for other text. */
const READ_AT = [120, 60, 30, 10];

/** @param {import('./session.js').LiveSession} session */
export function warnBeforeExpiry(session) {
  const dialog = /** @type {HTMLDialogElement | null} */ (document.getElementById('expiring'));
  const clock = document.getElementById('expiring-clock');
  const stay = document.getElementById('stay-active');
  if (!dialog || !clock || !stay) return;

  const voice = addVoice(dialog);
  let [endsAt, readAt] = [0, Infinity];
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let ticking;

  const show = () => {
    const left = endsAt - Date.now();
    clock.textContent = countdown(left);
    const due = READ_AT.findLast((seconds) => left <= seconds * 1_000) ?? Infinity;
    if (due < readAt) voice.textContent = inWords(left);
    readAt = Math.min(due, readAt);
    if (left > -GRACE_MS) return;
    clearInterval(ticking);
    session.verify(); // no `ended` came, so there is no connection
  };
  session.on('expiring', ({ reason, in_ms }) => {
    [endsAt, readAt] = [Date.now() + in_ms, Infinity];
    stay.hidden = reason !== 'idle_timeout'; // the absolute deadline never moves
    clearInterval(ticking);
    ticking = setInterval(show, 1_000);
    if (!dialog.open) dialog.showModal(); // moves the focus, and gives it back on closing
    show();
  });

  stay.addEventListener('click', () => session.stayActive());
  dialog.addEventListener('close', () => clearInterval(ticking));
  session.on('verified', () => { if (endsAt < Date.now()) dialog.close(); }); // the deadline has moved
  session.on('extended', () => dialog.close());
  session.on('ended', () => dialog.close());
  closeTogether(dialog);
}

/**
 * Closes the dialog in all tabs when a person closes it in one, by a button or Escape.
 * @param {HTMLDialogElement} dialog
 */
function closeTogether(dialog) {
  const tabs = globalThis.BroadcastChannel && new BroadcastChannel(`curfew-expiring-${document.body.dataset.session}`);
  tabs?.addEventListener('message', () => dialog.close());
  for (const type of ['submit', 'cancel']) dialog.addEventListener(type, () => tabs?.postMessage('closed'));
}

/**
 * Adds an element whose text is read aloud. It is in the dialog, because all else is inert.
 * @param {HTMLElement} dialog
 */
function addVoice(dialog) {
  const voice = document.createElement('p');
  voice.className = 'visually-hidden';
  voice.setAttribute('role', 'alert');
  dialog.append(voice);
  return voice;
}

/** @param {number} ms */
const secondsOf = (ms) => Math.max(0, Math.ceil(ms / 1_000));

/**
 * Returns minutes and seconds as on a clock: 1:05.
 * @param {number} ms
 */
function countdown(ms) {
  const seconds = secondsOf(ms);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** @param {number} ms */
const inWords = (ms) => text('expiring.about', { clock: amount(secondsOf(ms)) });

/** @param {number} seconds */
function amount(seconds) {
  const [unit, number] = seconds % 60 ? ['second', seconds] : ['minute', seconds / 60];
  return number.toLocaleString(document.documentElement.lang, { style: 'unit', unit, unitDisplay: 'long' });
}
