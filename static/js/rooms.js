// @ts-check
/**
 * A room of this page: docs/howto/rooms.md.
 *
 *   const session = connectSession({ url: '/ws/chat?rooms=asked' });
 *   const room = new Room(session, 'chat:1');
 *   room.on('published', ({ data }) => …);
 *   room.on('replayed', ({ complete }) => complete || fetchEverything());
 */

/** The frames about rooms from the server, each an event of its room. */
export const ROOM_FRAMES = /** @type {const} */ (['published', 'joined', 'left', 'replayed', 'lost', 'presence', 'present', 'error']);

export class Room extends EventTarget {
  #session;
  #name;
  /** @type {string | undefined} of the last message, for the next reconnect */
  #position;
  #isWanted = true;

  /**
   * Joins, now or as soon as there is a connection, and again after each reconnect.
   * @param {import('./session.js').LiveSession} session
   * @param {string} name
   * @param {string} [after] the position of the last message that the page has already
   */
  constructor(session, name, after) {
    super();
    this.#session = session;
    this.#name = name;
    this.#position = after || undefined;
    session.addEventListener('hello', () => this.#join());
    for (const type of ROOM_FRAMES) session.addEventListener(type, (event) => this.#receive(type, /** @type {CustomEvent} */ (event).detail));
    this.#join();
  }

  /** @type {(type: typeof ROOM_FRAMES[number], act: (frame: any) => void) => void} */
  on(type, act) {
    this.addEventListener(type, (event) => act(/** @type {CustomEvent} */ (event).detail));
  }

  /** Leaves, with this page only. */
  leave() {
    this.#isWanted = false;
    this.#session.write({ type: 'leave', room: this.#name });
  }

  /** Asks who is in the room; `present` follows. */
  askPresence() {
    return this.#session.write({ type: 'presence', room: this.#name });
  }

  #join() {
    if (!this.#isWanted) return;
    const after = this.#position === undefined ? {} : { after: this.#position };
    this.#session.write({ type: 'join', room: this.#name, ...after });
  }

  /** @type {(type: string, frame: any) => void} */
  #receive(type, frame) {
    if (frame.room !== this.#name) return;
    if (frame.ack) this.#session.write({ type: 'ack', id: frame.ack });
    if (type === 'left' && frame.reason === 'unverified') return this.#join(); // nobody said no
    if (type === 'left') this.#isWanted = false;
    if (type === 'joined') this.#position ??= frame.position;
    if (type === 'published' || type === 'replayed') this.#position = frame.position;
    this.dispatchEvent(new CustomEvent(type, { detail: frame }));
  }
}
