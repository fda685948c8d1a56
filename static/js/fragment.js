// @ts-check
/**
 * Keeps the part of an address behind `#`, which no server ever sees, on the way over a page that leads on:
 * browsers take it along to this page.
 */

/** @param {string} path */
const withFragment = (path) => (path.includes('#') ? path : path + location.hash);

/** Puts the fragment behind each address that forms and links of this page lead on to. */
export function keepFragment() {
  if (!location.hash || !new URLSearchParams(location.search).has('next')) return;
  for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll('input[name=next]'))) field.value = withFragment(field.value);
  for (const link of /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll('a[href*="?next="]'))) {
    const { pathname, searchParams } = new URL(link.href);
    const next = withFragment(searchParams.get('next') ?? '');
    link.setAttribute('href', `${pathname}?${new URLSearchParams({ next })}`);
  }
}

keepFragment();
