/**
 * Sign in, print all frames, and reconnect until a close code says to stop.
 *
 *   npm install ws
 *   PASSWORD='…' node client.mjs http://127.0.0.1:8888 ada
 */

import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';

const [address, username] = process.argv.slice(2);
const password = process.env.PASSWORD;
if (!address || !username || !password) {
  leave("usage: PASSWORD='…' node client.mjs http://127.0.0.1:8888 ada");
}
const url = address.replace(/\/$/, '');

/**
 * Say why this is the end.
 * @param {string} why
 * @returns {never}
 */
function leave(why) {
  console.error(why);
  process.exit(1);
}

/**
 * Whether a client must not reconnect after this close code.
 * @param {number} code
 */
const isFinal = (code) => code === 1008 || code === 1009 || (code >= 4400 && code < 4500);

/** Sign in; return the session's cookie as it must be sent back. If that fails, say why. */
async function signIn() {
  try {
    const answer = await fetch(`${url}/api/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ username, password }),
    });
    if (answer.ok) return answer.headers.getSetCookie()[0].split(';')[0];
    const { detail } = await answer.json().catch(() => ({}));
    return leave(`not signed in: ${detail ?? `${answer.status} ${answer.statusText}`}`);
  } catch (error) {
    const { message, cause } = /** @type {Error & { cause?: Error }} */ (error);
    return leave(`not signed in: ${url} does not answer as Curfew does: ${cause?.message ?? message}`);
  }
}

/**
 * Print all frames of one connection; return its close code.
 * @param {string} cookie
 * @returns {Promise<number>}
 */
function listen(cookie) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/ws`, 'curfew.v1', {
    origin: new URL(url).origin, // without it the server refuses the handshake
    headers: { Cookie: cookie },
  });
  socket.on('message', (text) => console.log(String(text)));
  socket.on('error', ({ message }) => console.log('not connected:', message));
  return new Promise((resolve) => {
    socket.on('close', (code, reason) => {
      console.log('closed:', code, String(reason));
      resolve(code);
    });
  });
}

const cookie = await signIn();
let [failures, started] = [0, Date.now()];
while (!isFinal(await listen(cookie))) {
  failures = Date.now() < started + 5_000 ? failures + 1 : 0;
  await sleep(500 + Math.random() * (Math.min(5_000 * 2 ** failures, 30_000) - 500));
  started = Date.now();
}
