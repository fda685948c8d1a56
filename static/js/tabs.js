// @ts-check
/**
 * The tabs of one browser that show one session. One is elected to report for all. Without Web Locks every
 * tab is elected, and without BroadcastChannel no tab hears another: then each tab reports for itself.
 */

import { TABS } from './protocol.js';

export class Tabs {
  elected = false;
  /** @type {string | undefined} */
  session;
  #channel = globalThis.BroadcastChannel && new BroadcastChannel(TABS);
  /** @type {AbortController | undefined} */
  #candidacy;

  /** @param {(frame: any) => void} hear is called with frames from other tabs */
  constructor(hear) {
    this.#channel?.addEventListener('message', ({ data: { session, frame } }) => {
      if (session && session === this.session) hear(frame);
    });
  }

  /** @param {object} frame */
  say(frame) {
    this.#channel?.postMessage({ session: this.session, frame });
  }

  /** Asks to be elected. This tab is as soon as no other one is. */
  async stand() {
    if (this.#candidacy) return;
    const { signal } = (this.#candidacy = new AbortController());
    const elect = () => { this.elected ||= !signal.aborted; };
    const serve = () => new Promise((leave) => {
      elect();
      if (signal.aborted) leave(0);
      signal.addEventListener('abort', leave);
    });
    await globalThis.navigator?.locks?.request(TABS, { signal }, serve).catch(() => {});
    elect(); // reached at once if there are no locks, or they are not allowed
  }

  standDown() {
    this.#candidacy?.abort();
    this.#candidacy = undefined;
    this.elected = false;
  }

  close() {
    this.standDown();
    this.#channel?.close();
  }
}
