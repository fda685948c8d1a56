// @ts-check
/**
 * What a page for signing in does while it waits. When another tab of this browser has signed in, it goes
 * on by itself, or says so if somebody has typed into it.
 */

import { keepFragment } from './fragment.js';
import { oneAtATime } from './fresh.js';
import { NO_ACTIVITY, TABS, at } from './protocol.js';

const SPREAD_MS = 2_000; // hidden tabs do not all ask at once
const ANSWER_WITHIN_MS = 5_000;
const AGAIN_MS = { first: 1_000, most: 30_000 };
const SIGNED_OUT = 401;

// ── A sign-in in another tab ──────────────────────────────────────────────────────────────────

/** Returns whether somebody is signed in; null if the server did not say. */
async function isSignedIn() {
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
  const answer = await fetch(at('/api/session'), { cache: 'no-store', headers: NO_ACTIVITY, signal }).catch(() => null);
  if (answer?.status === SIGNED_OUT) return false;
  const body = answer?.ok ? await answer.json().catch(() => null) : null;
  return body && !!body.session?.user;
}

/** Returns whether somebody has typed into the page; what the browser filled in does not count. */
function isTypedInto() {
  const fields = /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll('main input:not([type=hidden])'));
  const isFilledIn = (/** @type {Element} */ field) => CSS.supports('selector(:autofill)') && field.matches(':autofill');
  return [...fields].some((field) => field.value !== field.defaultValue && !isFilledIn(field));
}

/** Shows that a sign-in happened, with a link that leads on. */
function announce() {
  const words = /** @type {HTMLTemplateElement | null} */ (document.getElementById('signed-in-elsewhere'));
  const place = document.getElementById('elsewhere');
  if (!words || place?.hasChildNodes()) return;
  place?.append(words.content.cloneNode(true));
  keepFragment();
}

/** @type {ReturnType<typeof setTimeout> | undefined} */
let again;
let pause = AGAIN_MS.first;
let isLeaving = false;

/** Asks, and goes on if somebody is signed in. Without an answer it asks again: no second hint comes. */
const look = oneAtATime(async () => {
  clearTimeout(again);
  const isOver = await isSignedIn();
  if (isOver === null && !document.hidden) {
    again = setTimeout(look, pause);
    pause = Math.min(2 * pause, AGAIN_MS.most);
  } else pause = AGAIN_MS.first;
  if (isOver && !isLeaving) goOn();
});

function goOn() {
  if (isTypedInto()) return announce();
  isLeaving = true; // to begin again would only take longer
  // The switches for language and colours have such a field, too: it leads back to this page.
  const next = /** @type {HTMLInputElement | null} */ (document.querySelector('main input[name=next]'))?.value;
  location.replace(at('/login') + (next ? `?${new URLSearchParams({ next })}` : ''));
}

const tabs = globalThis.BroadcastChannel && new BroadcastChannel(TABS);
// Signed-in tabs say that they are there: when they load, and when a page says that it waits. Both are
// needed, as a sign-in may happen while this page is on its way.
tabs?.addEventListener('message', ({ data }) => {
  if (data.frame?.type === 'joined') setTimeout(look, document.hidden ? Math.random() * SPREAD_MS : 0);
});
document.addEventListener('visibilitychange', () => document.hidden || look());
addEventListener('pageshow', ({ persisted }) => {
  if (!persisted) return;
  isLeaving = false;
  look();
});
tabs?.postMessage({ frame: { type: 'waits' } });
