// @ts-check
/** Hides the private parts of a page from eyes, screen readers, keyboard and search. Typed text stays. */

const root = document.documentElement;

/** @type {Element | null} */
let focused = null;

export function cover() {
  if (root.hasAttribute('data-unverified')) return;
  focused = document.activeElement;
  root.setAttribute('data-unverified', '');
  setInert(true);
}

/** Shows the private parts again, and gives the focus back to the element that lost it. */
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
