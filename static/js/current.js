// @ts-check
/**
 * The session of this page, and its one connection. A script of an application shares it:
 *
 *   import { session } from '../js/current.js';
 */

import { connectSession } from './session.js';

const { session: sid, socket } = document.body.dataset;

export const session = socket ? connectSession({ url: socket, session: sid }) : connectSession({ url: '/ws', session: sid });
