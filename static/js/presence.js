// @ts-check
/** Watches a page: a person acts on it, it comes back after a pause, it is left. */

const LOOK_EVERY_MS = 2_000;
const SLEPT_AFTER_MS = 15_000;
const LOOKS_PER_BEAT = 12;

/** The last two also come from dictation and from tools for people who use neither mouse nor keyboard. */
const INTERACTIONS = ['pointerdown', 'keydown', 'input', 'click'];

/**
 * @param {Record<'acts' | 'beats' | 'leaves', () => void> & {returns: (restored: boolean) => void}} tell
 *   `beats` is called now and then while the page is visible; `restored` means that the page comes
 *   from the back-forward cache
 * @param {AbortSignal} signal stops watching
 */
export function watchPage({ acts, beats, leaves, returns }, signal) {
  const page = globalThis.document;
  if (!page) return;
  let [looks, lookedAt] = [0, Date.now()];

  const back = (restored = false) => {
    lookedAt = Date.now();
    returns(restored);
  };
  // While a machine sleeps, its clock goes on and its timers stop. Timers of hidden pages are slow.
  const look = () => {
    const slept = Date.now() - lookedAt > SLEPT_AFTER_MS;
    lookedAt = Date.now();
    looks += 1;
    if (slept && !page.hidden) back();
    else if (looks % LOOKS_PER_BEAT === 0 && !page.hidden) beats();
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  signal.addEventListener('abort', () => clearInterval(timer));

  /** @type {(type: string, act: (event: any) => void) => void} */
  const on = (type, act) => addEventListener(type, act, { signal, passive: true, capture: true });
  for (const type of INTERACTIONS) on(type, ({ isTrusted }) => isTrusted && acts());
  on('visibilitychange', () => page.hidden || back());
  on('online', () => back());
  on('pageshow', ({ persisted }) => persisted && back(true));
  on('pagehide', leaves);
}
