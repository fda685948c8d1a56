// @ts-check
/** Fetches pages of this session again: only while the page is visible, and one request at a time. */

const ANSWER_WITHIN_MS = 10_000;
const AGAIN_AFTER_MS = 2_000;

/**
 * Fetches a page, and once more a little later if that was no page of this session: the store may
 * have been down for a moment, or a new cookie may be on its way to another tab of this browser.
 * @param {string} url
 * @returns {Promise<Document | null>} null if there is no answer, or this session is over
 */
export async function fetchOwnPage(url) {
  const page = await fetchDocument(url);
  if (isOwn(page)) return page;
  await new Promise((resolve) => { setTimeout(resolve, AGAIN_AFTER_MS); });
  const later = await fetchDocument(url);
  return isOwn(later) ? later : null;
}

/** @param {Document | null} page */
const isOwn = (page) => page?.body.dataset.session === document.body.dataset.session;

/**
 * Fetches a page as a document. It never becomes a string, so it cannot become a script by mistake,
 * and Trusted Types allow it.
 * @param {string} url
 * @returns {Promise<Document | null>}
 */
function fetchDocument(url) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open('GET', url);
    request.setRequestHeader('Curfew-Activity', 'none'); // no person asked for it
    request.responseType = 'document';
    request.timeout = ANSWER_WITHIN_MS;
    request.onloadend = () => resolve(request.status === 200 ? request.responseXML : null);
    request.send();
  });
}

/**
 * Returns a function that does the work, but never twice at a time. If it is called while the work
 * runs, the work runs once more afterwards.
 * @param {() => Promise<void>} work
 */
export function oneAtATime(work) {
  let [running, again] = [false, false];
  return async () => {
    again = true;
    if (running) return;
    running = true;
    try {
      while (again) {
        again = false;
        await work();
      }
    } finally {
      running = false;
    }
  };
}

/**
 * Returns a function that acts as soon as the page is visible; a hidden page is not worth a request.
 * @param {() => void} act
 */
export function whenVisible(act) {
  let wanted = false;
  const look = () => {
    if (!wanted || document.hidden) return;
    wanted = false;
    act();
  };
  document.addEventListener('visibilitychange', look);
  return () => {
    wanted = true;
    look();
  };
}
