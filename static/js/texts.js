// @ts-check
/** The words of the page in its language. The server writes those that its scripts need into the page. */

/** @type {Record<string, string | Record<string, string>> | undefined} */
let texts;

/**
 * A text with its placeholders filled in; `count` chooses the form. The same as `Language.text` on the server.
 * @param {string} key
 * @param {Record<string, string | number>} values
 */
export function text(key, values = {}) {
  texts ??= /** @type {NonNullable<typeof texts>} */ (JSON.parse(document.getElementById('texts')?.textContent ?? '{}'));
  const found = Object.hasOwn(texts, key) ? texts[key] : key;
  const sentence = typeof found === 'string' ? found : found[form(found, Number(values.count))];
  return sentence.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/**
 * Whether the page has this text: keys made of a server's words may be newer than the page.
 * @param {string} key
 */
export const hasText = (key) => text(key) !== key;

/**
 * @param {Record<string, string>} forms
 * @param {number} count
 */
const form = (forms, count) => (count === 0 && 'none' in forms ? 'none' : count === 1 ? 'one' : 'other');
