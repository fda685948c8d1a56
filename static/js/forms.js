// @ts-check
/**
 * Help with forms: shows a password that is being typed, says how strong a new one is, and copies, saves and
 * prints recovery codes. Without it the forms work as well, and the codes can be selected by hand.
 */

const QUIET_MS = 600; // a screen reader is not interrupted by each key
const FEW_CHARACTERS = 6;
const NAMED_FROM = 3;
const STRONG_FROM = { length: 20, different: 10 };

// ── Showing a password ────────────────────────────────────────────────────────────────────────

/** @param {string} id */
const input = (id) => /** @type {HTMLInputElement | null} */ (document.getElementById(id));

for (const place of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-reveal]'))) {
  const ids = place.dataset.reveal ?? '';
  const fields = ids.split(' ').map(input).filter((each) => each !== null);
  const button = document.createElement('input');
  /** @param {boolean} shown */
  const show = (shown) => {
    for (const field of fields) field.type = shown ? 'text' : 'password';
    button.value = (shown ? place.dataset.hide : place.dataset.show) ?? '';
  };
  button.type = 'button';
  button.className = 'reveal';
  button.setAttribute('aria-controls', ids);
  button.setAttribute('aria-describedby', ids.split(' ').map(nameLabel).join(' '));
  button.addEventListener('click', () => show(fields.some((field) => field.type === 'password')));
  for (const field of fields) field.spellcheck = false; // a spelling service would be sent the password
  show(false);
  place.append(button);
  // Browsers remember what a text field had, also for the way back to this page.
  button.form?.addEventListener('submit', () => show(false));
  addEventListener('pagehide', () => show(false));
}

/**
 * Returns the id of a field's label, which it gets here.
 * @param {string} id
 */
function nameLabel(id) {
  const label = input(id)?.labels?.[0];
  if (label) label.id ||= `${id}-label`;
  return label?.id ?? '';
}

// ── The strength of a new password ────────────────────────────────────────────────────────────

/**
 * Returns the name of the sentence that helps most, and how many characters are missing. It only advises: the
 * server decides.
 * @param {string} password
 * @param {string} username
 * @param {number} least
 */
export function judge(password, username, least) {
  const characters = [...password.normalize('NFC')];
  const missing = least - characters.length;
  const name = username.trim().toLowerCase();
  const different = new Set(characters).size;
  if (missing > 0) return { key: missing === 1 ? 'shortOne' : 'short', level: 'weak', missing };
  if (name.length >= NAMED_FROM && password.toLowerCase().includes(name)) return { key: 'named', level: 'weak', missing: 0 };
  if (different < FEW_CHARACTERS || /^(.{1,12}?)\1+$/su.test(password)) return { key: 'repeated', level: 'weak', missing: 0 };
  const isStrong = characters.length >= STRONG_FROM.length && different >= STRONG_FROM.different;
  return { key: isStrong ? 'good' : 'fair', level: isStrong ? 'good' : 'fair', missing: 0 };
}

for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll('input[data-strength]'))) {
  const place = document.getElementById(field.dataset.strength ?? '');
  const username = /** @type {HTMLInputElement | null} */ (field.form?.elements.namedItem('username') ?? null);
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let waiting;
  const rules = place?.textContent ?? '';
  const tell = () => {
    if (!place) return;
    if (!field.value) {
      delete place.dataset.level;
      place.textContent = rules;
      return;
    }
    // Nothing below may move: a button would slip away between the pressing and the letting go.
    place.style.minHeight ||= `${place.offsetHeight}px`;
    const { key, level, missing } = judge(field.value, username?.value ?? '', Number(place.dataset.least));
    place.dataset.level = level;
    place.textContent = (place.dataset[key] ?? '').replace('{count}', String(missing));
  };
  for (const each of [field, username]) {
    each?.addEventListener('input', () => {
      clearTimeout(waiting);
      waiting = setTimeout(tell, QUIET_MS);
    });
  }
}

// ── Recovery codes ────────────────────────────────────────────────────────────────────────────

for (const place of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-codes]'))) {
  const codes = [...document.querySelectorAll(`#${place.dataset.codes} .secret`)].map((each) => each.textContent ?? '');
  const told = document.getElementById('codes-told');
  /** @param {string | undefined} words */
  const tell = (words) => { if (told) told.textContent = words ?? ''; };
  offer('copy-codes', () => {
    const copied = navigator.clipboard?.writeText(codes.join('\n')) ?? Promise.reject();
    copied.then(() => tell(place.dataset.copied), () => tell(place.dataset.refused));
  });
  offer('download-codes', () => save(place.dataset.file ?? '', [place.dataset.heading, '', ...codes, ''].join('\r\n')));
  offer('print-codes', () => print());
}

/**
 * @param {string} id
 * @param {() => void} act
 */
function offer(id, act) {
  const button = document.getElementById(id);
  if (!button) return;
  button.hidden = false;
  button.addEventListener('click', act);
}

/**
 * Gives a person a file that never was on a server.
 * @param {string} name
 * @param {string} content
 */
function save(name, content) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([content], { type: 'text/plain' }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 0);
}
