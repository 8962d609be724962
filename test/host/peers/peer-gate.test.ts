import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DataDirectory } from '../../../lib/base';
import { PeerGate } from '../../../lib/host/peers';

const PEER = '12D3KooWPeer';

describe('what peers may do here', () => {
  let folder: string;
  let gate: PeerGate;

  beforeEach(async function () {
    // Only root can write a policy that counts.
    if (process.getuid?.() !== 0) this.skip();
    folder = await mkdtemp(join(tmpdir(), 'garua-peers-'));
    gate = new PeerGate(new DataDirectory(folder));
  });
  afterEach(() => folder && rm(folder, { recursive: true, force: true }));

  const policy = (document: unknown) =>
    writeFile(join(folder, 'policy.json'), JSON.stringify(document), { mode: 0o644 });

  it('allows what no policy narrows', async () => {
    await policy({ peers: { flows: false } });
    await gate.check('objects', PEER);
    await gate.check('services', PEER);
    assert.equal(await gate.allows('services'), true);
    assert.equal(await gate.allows('flows'), false);
  });

  it('refuses with a code, who it was, and what to write where', async () => {
    await policy({ peers: { services: false } });
    await assert.rejects(gate.check('services', PEER), (error: Error & { code: string; hint: string }) => {
      assert.equal(error.code, 'ERR_POLICY_REFUSED');
      assert.match(error.message, /reaching services here by the host 12D3KooWPeer .*policy\.json/);
      assert.match(error.hint, /\{"peers": \{"services": true\}\}/);
      return true;
    });
    await gate.check('containers', PEER);
  });

  it('allows nothing by a policy that cannot be read, and follows a change without a restart', async () => {
    await policy({ peers: { service: true } });
    await assert.rejects(gate.check('objects', PEER), { code: 'ERR_POLICY_INVALID' });
    await policy({});
    for (let tries = 0; ; tries += 1) {
      try {
        await gate.check('objects', PEER);
        break;
      } catch (error) {
        if (tries > 200) throw error;
        await delay(50);
      }
    }
  });
});
