import { deepEqual, equal, match } from 'node:assert/strict';
import { existsSync, mkdirSync, renameSync, rmdirSync } from 'node:fs';
import { openHost } from '../../../lib/control';
import type { CheckResult } from '../../../lib/host';
import { HostPool } from '../../../nodes/fog-host/host-pool';
import { type HostStatusDocument, hostStatus } from '../../../nodes/fog-host/host-status';
import { eventually } from '../../mesh/support/mesh-process';
import { makeImage, writeOciLayout } from '../../support/images';
import { TestNodeRed } from '../../support/node-red';
import { REGISTRY_USER, startRegistry, type TestRegistry } from '../../support/registry';
import { temporaryFolder } from '../../support/temporary';
import { MemoryHost } from '../memory-host';

const finding = (id: string, status: CheckResult['status']): CheckResult => ({
  id,
  area: 'machine',
  status,
  detail: '',
  why: '',
});

describe('fog-host', function () {
  this.timeout(20_000);
  const folder = temporaryFolder();
  const red = new TestNodeRed();

  async function status(id: string): Promise<HostStatusDocument> {
    const answer = await red.helper.request().get(`/garua/host/${id}/status`);
    equal(answer.status, 200);
    return answer.body as HostStatusDocument;
  }

  it('says what its host is, and what its doctor finds', async () => {
    const dataDirectory = folder.join('data');
    await red.load([{ id: 'host', type: 'fog-host', name: 'kitchen', dataDirectory }]);
    const { info, embedded, checks, problem } = await status('host');
    deepEqual(
      [info?.name, info?.dataDirectory, embedded, problem],
      ['kitchen', dataDirectory, true, undefined],
    );
    equal(checks.find(({ id }) => id === 'runc')!.status, 'ok');
  });

  describe('the answer to its dialog', () => {
    async function statusOf(examine: MemoryHost['examine'], patience?: number): Promise<HostStatusDocument> {
      const host = new MemoryHost();
      host.examine = examine;
      const lease = new HostPool(async () => host.asHost()).acquire({ socket: '/memory' });
      try {
        return await hostStatus(lease, patience);
      } finally {
        await lease.release();
      }
    }

    it('begins with the worst', async () => {
      const all = [finding('a', 'ok'), finding('b', 'warn'), finding('c', 'fail')];
      const { state, checks } = await statusOf(async () => ({ checks: all }));
      deepEqual([state, checks.map(({ id }) => id)], ['limited', ['c', 'b', 'a']]);
      const advice = await statusOf(async () => ({ checks: [finding('b', 'warn')] }));
      equal(advice.state, 'ready');
    });

    it('comes also when the examination hangs, as on a dead network mount', async () => {
      const { state, info, problem } = await statusOf(() => new Promise(() => {}), 50);
      deepEqual([state, info?.name], ['limited', 'memory']);
      match(problem!.message, /does not answer in time/);
    });

    it('is about this machine as long as there is no host', async () => {
      const { state, checks } = await hostStatus(undefined, 1_000, async () => ({
        checks: [finding('root', 'warn')],
      }));
      deepEqual([state, checks.length], ['undeployed', 1]);
    });
  });

  it('says why a daemon does not answer', async () => {
    await red.load([{ id: 'host', type: 'fog-host', socket: folder.join('nobody.sock') }]);
    const { state, problem } = await status('host');
    equal(state, 'unreachable');
    equal(problem!.message.includes('nobody.sock'), true);
  });

  it('opens a host of a fog as soon as it can be opened', async () => {
    const dataDirectory = folder.join('member');
    const host = await openHost({ dataDirectory, mesh: { listen: ['/ip4/127.0.0.1/tcp/0'] } });
    await host.fogCreate();
    await host.close();
    // As a disk that is not there yet.
    renameSync(folder.join('member/garua.db'), folder.join('away.db'));
    mkdirSync(folder.join('member/garua.db'));
    await red.load([{ id: 'host', type: 'fog-host', dataDirectory }]);
    await red.status('host', /^yellow ring waiting/);
    rmdirSync(folder.join('member/garua.db'));
    renameSync(folder.join('away.db'), folder.join('member/garua.db'));
    await eventually(async () => existsSync(folder.join('member/garua.sock')), true);
  });

  it('opens nothing for a node that is not deployed', async () => {
    await red.load([]);
    const { state, info } = await status('unknown');
    deepEqual([state, info, existsSync(folder.join('unknown'))], ['undeployed', undefined, false]);
  });

  it('lists the devices of its host', async () => {
    await red.load([{ id: 'host', type: 'fog-host', dataDirectory: folder.join('data') }]);
    for (const id of ['host', 'unknown']) {
      const { body } = await red.helper.request().get(`/garua/host/${id}/devices`);
      equal(Array.isArray((body as { devices: unknown[] }).devices), true);
    }
  });

  describe('asked for an image', () => {
    const image = makeImage();
    let registry: TestRegistry;
    const { username, password } = REGISTRY_USER;
    before(async () => {
      registry = await startRegistry({ auth: true });
      await registry.push(image, 'private', '1');
    });
    after(() => registry?.stop());

    async function resolve(
      id: string,
      question: object,
    ): Promise<{ digest?: string; error?: { code: string } }> {
      const { body } = await red.helper.request().post(`/garua/host/${id}/resolve`).send(question);
      return body as never;
    }

    const host = (rows: object[]) => [
      { id: 'host', type: 'fog-host', dataDirectory: folder.join('data'), registries: rows },
    ];

    it('says what it is', async () => {
      writeOciLayout(folder.join('layout'), [image], ['1']);
      await red.load(host([]));
      const answer = await resolve('host', { image: `oci:${folder.join('layout')}:1` });
      const { digest, platform } = image;
      const size = image.manifest.layers[0]!.size;
      const name = `${platform.os}/${platform.architecture}`;
      deepEqual(answer, {
        ref: `oci:${folder.join('layout')}:1`,
        digest,
        platform: name,
        platforms: [name],
        size,
        layers: 1,
      });
    });

    it('uses the deployed credentials', async () => {
      await red.load(host([{ host: registry.host, username, slot: 1 }]), { host: { password1: password } });
      equal((await resolve('host', { image: `${registry.host}/private:1` })).digest, image.digest);
    });

    it('uses what is typed, deployed or not', async () => {
      await red.load(host([]));
      const unsaved = {
        rows: [{ host: registry.host, username, slot: 0 }],
        passwords: { password0: password },
      };
      for (const id of ['host', 'undeployed']) {
        equal((await resolve(id, { image: `${registry.host}/private:1`, unsaved })).digest, image.digest);
      }
      const wrong = { ...unsaved, passwords: { password0: 'wrong' } };
      const answer = await resolve('host', { image: `${registry.host}/private:1`, unsaved: wrong });
      equal(answer.error!.code, 'ERR_REGISTRY_UNAUTHORIZED');
    });

    it('never sends a deployed password to a registry that was put into its row', async () => {
      await red.load(host([{ host: 'trusted.example.com', username, slot: 0 }]), {
        host: { password0: password },
      });
      const unsaved = { rows: [{ host: registry.host, username, slot: 0 }], passwords: {} };
      const answer = await resolve('host', { image: `${registry.host}/private:1`, unsaved });
      equal(answer.error!.code, 'ERR_REGISTRY_UNAUTHORIZED');
    });

    it('says what is wrong with a name that is none', async () => {
      await red.load([]);
      equal((await resolve('unknown', {})).error!.code, 'ERR_IMAGE_REFERENCE_INVALID');
      equal((await resolve('unknown', { image: 'UPPER CASE' })).error!.code, 'ERR_IMAGE_REFERENCE_INVALID');
    });
  });
});
