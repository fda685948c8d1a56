// A WebSocket of Node's `ws` for a test in another language: lines from stdin are sent, and each frame
// is printed as a line, also how the socket closes.
//
// Arguments: the folder of node_modules, the address, and the headers as JSON.
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const [packages, address, headers] = process.argv.slice(2);
const { WebSocket } = createRequire(`${packages}/`)('ws');
const socket = new WebSocket(address, ['curfew.v1'], { headers: JSON.parse(headers) });

socket.on('message', (data) => console.log(String(data)));
socket.on('close', (code, reason) => console.log(JSON.stringify({ type: 'closed', code, reason: String(reason) })));
socket.on('error', (error) => console.error(error.message));
socket.on('open', () => createInterface({ input: process.stdin }).on('line', (line) => socket.send(line)));
