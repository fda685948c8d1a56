// The base path: the client finds the server where its own files are.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import test from 'node:test';

const file = new URL('../../static/js/protocol.js', import.meta.url);
const isServed = (/** @type {string} */ address) => address.startsWith('https://');

registerHooks({
  resolve: (address, context, next) => (isServed(address) ? { url: address, format: 'module', shortCircuit: true } : next(address, context)),
  load: (address, context, next) => (isServed(address) ? { source, format: 'module', shortCircuit: true } : next(address, context)),
});
const source = await readFile(file, 'utf8');

for (const [address, base] of [
  ['https://app.example/static/js/protocol.js', ''],
  ['https://app.example/auth/static/js/protocol.js', '/auth'],
  ['https://app.example:8443/a/b/static/js/protocol.js?v=1', '/a/b'],
  ['https://app.example/vendor/protocol.js', ''],
]) {
  test(`${address} is below ${base || 'nothing'}`, async () => {
    const { BASE, at } = await import(address);
    assert.equal(BASE, base);
    assert.equal(at('/ws'), `${base}/ws`);
    assert.equal(at(at('/ws')), `${base}/ws`);
    assert.equal(at('/authentic'), `${base}/authentic`);
    for (const other of ['wss://other.example/ws', '//other.example/ws', 'ws']) assert.equal(at(other), other);
  });
}
