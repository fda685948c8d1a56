// @ts-check
/**
 * Passkeys: fills forms marked with `data-passkey` with the authenticator's answer, and sends them.
 * The server makes the options, checks the answer and shows the result.
 *
 * `create` makes a passkey, `get` uses one. Forms stay hidden if the browser has no passkeys.
 */

import { at } from './protocol.js';

const STALE = 'reauthentication-required';
const OUTDATED = 'csrf-token-wrong';

for (const form of document.querySelectorAll('form[data-passkey]')) {
  if (form instanceof HTMLFormElement && isPossible()) prepare(form);
}

function isPossible() {
  return typeof PublicKeyCredential === 'function' && 'parseRequestOptionsFromJSON' in PublicKeyCredential;
}

/** @param {HTMLFormElement} form */
function prepare(form) {
  form.hidden = false;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = /** @type {HTMLButtonElement} */ (form.querySelector('button'));
    button.disabled = true;
    tell(form, null);
    try {
      field(form, 'credential').value = JSON.stringify(await answer(form));
      copyChoice(form);
      form.submit();
    } catch (error) {
      if (nameOf(error) === STALE && form.dataset.stale) location.assign(form.dataset.stale);
      else tell(form, nameOf(error));
    } finally {
      button.disabled = false;
    }
  });
}

/**
 * Takes over a checkbox of another form: the choice to be remembered counts for both.
 * @param {HTMLFormElement} form
 */
function copyChoice(form) {
  for (const copy of form.querySelectorAll('input[data-copies]')) {
    const box = document.getElementById(/** @type {HTMLElement} */ (copy).dataset.copies ?? '');
    if (box instanceof HTMLInputElement) field(form, 'remember').value = box.checked ? 'on' : '';
  }
}

/**
 * Returns the authenticator's answer; the browser may ask the person for a PIN or a fingerprint.
 * @param {HTMLFormElement} form
 */
async function answer(form) {
  const options = await fetchOptions(form);
  const credential = form.dataset.passkey === 'create'
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  return /** @type {PublicKeyCredential} */ (credential).toJSON();
}

/**
 * Returns the server's options. If another tab has signed in since the page was made, the page's token
 * is of no use any more, so it asks once more with that of the session.
 * @param {HTMLFormElement} form
 */
async function fetchOptions(form) {
  const first = await askForOptions(form, field(form, 'csrf_token')?.value);
  const told = first.slug === OUTDATED ? await askForOptions(form, await fetchToken()) : first;
  if (told.slug) throw new Error(told.slug);
  return told.options;
}

/**
 * @param {HTMLFormElement} form
 * @param {string | undefined} token
 * @returns {Promise<{options?: any, slug?: string}>} what the server answered: options, or a problem
 */
async function askForOptions(form, token) {
  const challenge = field(form, 'challenge')?.value;
  const response = await fetch(/** @type {string} */ (form.dataset.options), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(token && { 'X-CSRF-Token': token }) },
    body: JSON.stringify(challenge ? { challenge } : {}),
  });
  const told = await response.json();
  return response.ok ? { options: told } : { slug: String(told.type).split('/').at(-1) };
}

/** @returns {Promise<string | undefined>} */
async function fetchToken() {
  const answer = await fetch(at('/api/session'), { cache: 'no-store' });
  return (await answer.json()).csrf_token;
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 */
const field = (form, name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));

/**
 * Shows why it failed, in the words of the page; null removes the text.
 * @param {HTMLFormElement} form
 * @param {string | null} why
 */
function tell(form, why) {
  const line = /** @type {HTMLElement} */ (form.querySelector('[role="alert"]'));
  const { cancelled, failed, known } = line.dataset;
  /** @type {Record<string, string | undefined>} */
  const words = { NotAllowedError: cancelled, InvalidStateError: known };
  line.hidden = why === null;
  line.textContent = words[why ?? ''] ?? failed ?? '';
}

/** @param {unknown} error */
const nameOf = (error) => (error instanceof DOMException ? error.name : error instanceof Error ? error.message : '');
