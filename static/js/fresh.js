// @ts-check
/** A page of this session, fetched again: while somebody can see it, and one request at a time. */

const ANSWER_WITHIN_MS = 10_000;
const AGAIN_AFTER_MS = 2_000;

/**
 * Fetches a page, and once more a little later if that brought none of this session: the store may
 * have been silent for a moment, and a new cookie may be on its way to another tab of this browser.
 * @param {string} url
 * @returns {Promise<Document | null>} null if nobody answers, or this session is over
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
 * A page as a document. It never is a string, so no script could be made of it by mistake, and
 * Trusted Types have nothing to object to.
 * @param {string} url
 * @returns {Promise<Document | null>}
 */
function fetchDocument(url) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open('GET', url);
    request.setRequestHeader('Curfew-Activity', 'none'); // nobody did anything here
    request.responseType = 'document';
    request.timeout = ANSWER_WITHIN_MS;
    request.onloadend = () => resolve(request.status === 200 ? request.responseXML : null);
    request.send();
  });
}

/**
 * However often it is asked for, the work runs once at a time, and once more if asked meanwhile.
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
 * Once somebody can see it: a page in the background is not worth a request.
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
