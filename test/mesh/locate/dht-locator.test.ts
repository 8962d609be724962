import assert from 'node:assert/strict';
import { mock } from 'node:test';
import { DhtLocator } from '../../../lib/mesh/locate/dht-locator';
import type { FogNode } from '../../../lib/mesh/node/create-node';
import type { Libraries } from '../../../lib/mesh/node/libraries';

const HOUR = 3_600_000;

describe('announcing objects', () => {
  let now = 0;
  let peers: string[] = [];
  const provided: string[] = [];
  // What the locator uses of a node, to count its announcements over days.
  const node = {
    addEventListener: () => {},
    getPeers: () => peers,
    services: {
      dht: {
        async *provide(cid: string) {
          provided.push(cid);
          yield { name: 'PATH_ENDED' };
        },
      },
    },
  } as unknown as FogNode;
  const libraries = { CID: { parse: (cid: string) => cid } } as unknown as Libraries;

  before(() => {
    mock.method(performance, 'now', () => now);
  });
  after(() => mock.restoreAll());
  beforeEach(() => {
    now = 0;
    provided.length = 0;
  });

  it('repeats one only after an hour, however many there were meanwhile', async () => {
    peers = ['bob'];
    const locator = new DhtLocator(node, libraries);
    const provide = (cid: string) => locator.provide(cid, new AbortController().signal);
    await provide('a');
    now = HOUR / 2;
    for (const cid of ['a', 'b', 'b']) await provide(cid);
    assert.deepEqual(provided, ['a', 'b']);
    now = HOUR;
    for (const cid of ['b', 'a', 'a']) await provide(cid);
    assert.deepEqual(provided, ['a', 'b', 'a']);
    assert.equal(locator.remembered, 2);
    now = 3 * HOUR;
    await provide('c');
    assert.equal(locator.remembered, 1);
  });

  it('tells nobody while it is alone, and keeps only so much to tell', async () => {
    peers = [];
    const locator = new DhtLocator(node, libraries);
    const { signal } = new AbortController();
    for (let count = 0; count < 60_000; count += 1) await locator.provide(`cid-${count}`, signal);
    assert.deepEqual([provided.length, locator.remembered], [0, 50_000]);
    locator.close();
  });
});
