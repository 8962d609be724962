import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { patternBytes } from '../../store/support/bytes';
import { FaultyRegistry } from '../../support/faulty-registry';
import { garuaJson } from '../../support/garua';
import { fileLayer, makeImage } from '../../support/images';
import { temporaryFolder } from '../../support/temporary';
import { eventually, FogHost, met } from './support';

describe('the objects of a fog of two sites', () => {
  const folder = temporaryFolder();
  const hosts: FogHost[] = [];
  let first: FogHost;
  let second: FogHost;
  let other: FogHost;

  before(async () => {
    first = await FogHost.open(folder.path, 'quay-1', 'quay');
    second = await FogHost.open(folder.path, 'quay-2', 'quay');
    other = await FogHost.open(folder.path, 'hill-1', 'hill');
    hosts.push(first, second, other);
    await first.host.fogCreate();
    await second.join(first);
    await other.join(first);
    await met(hosts);
  });
  after(async () => {
    for (const { host } of hosts) await host.close();
  });

  it('come from the NAS, else from the other site, and then from the NAS', async () => {
    const bytes = patternBytes(1_000_000, 1);
    const { cid } = await first.put(bytes);
    const near = await second.get(cid);
    assert.deepEqual([near.source, near.networkCalls, near.bytes.equals(bytes)], ['nas', 0, true]);
    const far = await other.get(cid);
    assert.deepEqual([far.source, far.bytes.equals(bytes)], ['site:quay', true]);
    assert.ok(far.networkCalls > 0);
    const again = await other.get(cid);
    assert.deepEqual([again.source, again.networkCalls], ['nas', 0]);
    assert.deepEqual(await second.host.where(cid), { cid, sites: ['hill', 'quay'], complete: true });
  });

  it('are sent where they are to be, at once or when the site is back', async () => {
    const now = await first.put(patternBytes(300_000, 2), { replicate: 'all', pin: true });
    assert.deepEqual([now.replicas, now.pending], [['hill'], []]);
    assert.deepEqual((await other.host.where(now.cid)).sites, ['hill', 'quay']);
    let cid = '';
    await other.reopen(async () => {
      await eventually('the site is missed', async () => {
        const hill = (await first.host.sites()).find(({ site }) => site === 'hill');
        return hill?.hosts[0]?.state === 'down';
      });
      const later = await first.put(patternBytes(300_000, 3), { replicate: 'near:1' });
      assert.deepEqual([later.replicas, later.pending], [[], ['hill']]);
      cid = later.cid;
    });
    await eventually('the copy comes later', async () => (await other.get(cid)).source === 'nas');
  });

  it('have names that a later writer of any site changes', async () => {
    const [one, two] = [Buffer.from('one'), Buffer.from('two')];
    assert.equal((await first.put(one, { name: 'cameras/door' })).name, 'fog:quay/cameras/door');
    const local = await second.get('fog:quay/cameras/door');
    assert.deepEqual([local.bytes, local.networkCalls], [one, 0]);
    await other.put(two, { name: 'fog:quay/cameras/door' });
    for (const host of hosts)
      assert.deepEqual((await host.get('fog:quay/cameras/door')).bytes, two, host.name);
    await assert.rejects(first.get('fog:quay/none'), { code: 'ERR_STORE_NAME_NOT_FOUND' });
    await assert.rejects(first.put(one, { name: 'fog:/x' }), { code: 'ERR_INVALID_ARGUMENT' });
  });

  it('can be read by a command that ends soon', async () => {
    const bytes = patternBytes(400_000, 4);
    const { cid } = await first.put(bytes);
    await second.host.close();
    const near = await garuaJson<{ source: string; networkCalls: number }>(second.data, 'get', cid);
    assert.deepEqual([near.source, near.networkCalls], ['nas', 0]);
    const { cid: far } = await other.put(patternBytes(400_000, 5));
    const fetched = await garuaJson<{ source: string }>(second.data, 'get', far);
    assert.equal(fetched.source, 'site:hill');
    await second.reopen();
    await met(hosts);
  });

  it('are refused to hosts that the policy keeps from reading them', async () => {
    const { cid } = await first.put(patternBytes(300_000, 6));
    const policies = [first, second].map(({ data }) => join(data, 'policy.json'));
    for (const policy of policies) writeFileSync(policy, '{"peers": {"objects": false}}', { mode: 0o600 });
    await eventually('the policy counts', async () => !(await other.host.where(cid)).complete);
    await assert.rejects(other.get(cid), (error: { code: string; message: string }) => {
      assert.equal(error.code, 'ERR_STORE_FETCH_FAILED');
      assert.match(error.message, /polic/);
      return true;
    });
    for (const policy of policies) writeFileSync(policy, '{}', { mode: 0o600 });
    await eventually('the policy counts', async () => (await other.host.where(cid)).complete);
    assert.equal((await other.get(cid)).source, 'site:quay');
  });

  it('hold the layers of images: one host of the fog asks the registry for them', async () => {
    const registry = await FaultyRegistry.start();
    try {
      const layers = [fileLayer({ a: patternBytes(700_000, 7) }), fileLayer({ b: patternBytes(900, 8) })];
      registry.add(makeImage({ layers }), 'web');
      const pull = async (host: FogHost) => {
        const before = registry.requestsOf('blob').length;
        const result = await host.host.pull(`${registry.host}/web:latest`, { insecure: true });
        const sources = [result.manifestSource, ...result.layers.map(({ source }) => source)];
        return { sources, blobs: registry.requestsOf('blob').length - before };
      };
      const initial = await pull(first);
      assert.deepEqual(initial.sources, ['registry', 'registry', 'registry']);
      assert.equal(initial.blobs, layers.length + 1);
      assert.deepEqual(await pull(second), { sources: ['nas', 'nas', 'nas'], blobs: 0 });
      const far = await pull(other);
      assert.equal(far.blobs, 0);
      // Its site does not know the tag, and asks for the manifest; the configuration is with a peer.
      assert.equal(far.sources.shift(), 'registry');
      for (const source of far.sources) assert.match(source, /^peer:quay-[12]$/);
    } finally {
      await registry.stop();
    }
  });
});
