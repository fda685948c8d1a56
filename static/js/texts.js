// @ts-check
/** The texts of the page in its language. The server writes the ones that scripts need into the page. */

/** @type {Record<string, string | Record<string, string>> | undefined} */
let texts;

/**
 * Returns a text with its placeholders filled in; `count` chooses the form. Does the same as `Language.text`
 * on the server.
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
 * Returns whether the page has this text. A key made from a word of the server may be newer than the page.
 * @param {string} key
 */
export const hasText = (key) => text(key) !== key;

/**
 * @param {Record<string, string>} forms
 * @param {number} count
 */
const form = (forms, count) => (count === 0 && 'none' in forms ? 'none' : count === 1 ? 'one' : 'other');
