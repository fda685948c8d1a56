// @ts-check
/** Covers what is private on the page: for eyes, ears, keys and search. Typed text stays in its place. */

const root = document.documentElement;

/** @type {Element | null} */
let focused = null;

export function cover() {
  if (root.hasAttribute('data-unverified')) return;
  focused = document.activeElement;
  root.setAttribute('data-unverified', '');
  setInert(true);
}

/** Shows it again, and gives the focus back to what lost it. */
export function uncover() {
  root.removeAttribute('data-unverified');
  setInert(false);
  if (focused instanceof HTMLElement && document.activeElement === document.body) focused.focus({ preventScroll: true });
  focused = null;
}

/** @param {boolean} inert */
function setInert(inert) {
  for (const element of document.querySelectorAll('[data-private]')) /** @type {HTMLElement} */ (element).inert = inert;
}
