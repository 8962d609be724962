import { deepEqual, equal, match, notEqual } from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { delimiter } from 'node:path';
import type { ContainerStatus } from '../../../lib/container';
import { openHost } from '../../../lib/control';
import type { Host } from '../../../lib/host';
import type { PullResult } from '../../../lib/image';
import { FaultyRegistry } from '../../support/faulty-registry';
import { busyboxLayer, fileLayer, makeImage, writeOciLayout } from '../../support/images';
import { type FlowNode, TestNodeRed } from '../../support/node-red';
import { REGISTRY_USER, startRegistry, type TestRegistry } from '../../support/registry';
import { temporaryFolder } from '../../support/temporary';

/** Ends at once when told to, which a bare `sleep` with PID 1 does not. */
const WAIT = `trap 'exit 0' TERM; sleep 1000 & wait`;
const SLEEP = `sh -c "${WAIT}"`;

describe('deploy-container', function () {
  this.timeout(30_000);
  // Registered before the folder, so that it runs before: a container of a failed test would hold it.
  after(async () => {
    await withHost(async (host) => {
      for (const { name } of await host.containers()) await host.remove(name, { force: true, graceMs: 0 });
    });
    await registry.stop();
  });
  const folder = temporaryFolder();
  const red = new TestNodeRed();
  const image = makeImage({ layers: [busyboxLayer()], config: { Cmd: ['sh', '-c', WAIT] } });
  let registry: TestRegistry;
  let busybox: string;

  before(async () => {
    registry = await startRegistry();
    await registry.push(image, 'busybox', '1');
    busybox = `${registry.host}/busybox:1`;
  });

  async function withHost<T>(work: (host: Host) => Promise<T>): Promise<T> {
    const host = await openHost({ dataDirectory: folder.join('data') });
    try {
      return await work(host);
    } finally {
      await host.close();
    }
  }

  /** A flow with one node, its two outputs and its errors. */
  function flow(properties: Record<string, unknown>, host: Record<string, unknown> = {}): FlowNode[] {
    const z = 'tab';
    return [
      { id: z, type: 'tab', label: 'Test' },
      { id: 'host', type: 'fog-host', name: '', dataDirectory: folder.join('data'), registries: [], ...host },
      {
        id: 'node',
        type: 'deploy-container',
        z,
        name: 'web',
        image: busybox,
        host: 'host',
        wires: [['states'], ['lines']],
        ...properties,
      },
      { id: 'states', type: 'helper', z, wires: [] },
      { id: 'lines', type: 'helper', z, wires: [] },
      { id: 'catch', type: 'catch', z, scope: null, x: 1, y: 1, wires: [['errors']] },
      { id: 'errors', type: 'helper', z, wires: [] },
    ];
  }

  async function state(wanted: string, from = 0): Promise<ContainerStatus> {
    const fits = ({ payload }: Record<string, unknown>) => (payload as ContainerStatus).state === wanted;
    return (await red.message('states', fits, from)).payload as ContainerStatus;
  }

  async function error(): Promise<{ code: string; message: string; cause: { hint: string } }> {
    return (await red.message('errors')).error as never;
  }

  const received = () => red.received.get('states')?.length ?? 0;

  it('pulls and starts when the flow starts, and says so', async () => {
    await red.load(flow({}));
    const { topic, payload, pull } = await red.message('states');
    const container = payload as ContainerStatus;
    deepEqual([topic, container.name, container.image, container.state], ['web', 'web', busybox, 'running']);
    process.kill(container.pid!, 0);
    equal((pull as PullResult).digest, image.digest);
    notEqual((pull as PullResult).bytesDownloaded, 0);
    match(await red.status('node', /^green/), /^green dot running$/);
    match(red.shown.get('node')!.join(), /blue ring resolving/);
  });

  it('leaves an unchanged container alone, replaces a changed one, removes a renamed one', async () => {
    await red.load(flow({}));
    const { pid } = await state('running');
    await red.deploy(flow({}));
    equal((await state('running', 1)).pid, pid);
    await red.deploy(flow({ env: [{ key: 'COLOUR', value: 'red' }] }));
    const replaced = await state('running', 2);
    notEqual(replaced.pid, pid);
    await red.deploy(flow({ env: [{ key: 'COLOUR', value: 'red' }], name: 'renamed' }), 'nodes');
    equal((await state('running', received())).name, 'renamed');
    await withHost(async (host) => {
      deepEqual(
        (await host.containers()).map(({ name }) => name),
        ['renamed'],
      );
    });
    await red.deploy([]);
    await withHost(async (host) => deepEqual(await host.containers(), []));
  });

  it('does what messages ask for, with what they override', async () => {
    await red.load(flow({ start: false, image: 'nowhere.invalid/none' }));
    red.send('node', { image: busybox, command: `sh -c "echo $WHO; ${WAIT}"`, env: { WHO: 'me' } });
    const { pid } = await state('running');
    red.send('node', { action: 'restart', colour: 'kept' });
    const restarted = await red.message('states', ({ colour }) => colour === 'kept');
    notEqual((restarted.payload as ContainerStatus).pid, pid);
    let from = received();
    red.send('node', { action: 'stop' });
    equal((await state('stopped', from)).pid, null);
    await red.status('node', /^yellow ring stopped$/);
    from = received();
    red.send('node', { action: 'status' });
    equal((await state('stopped', from)).name, 'web');
    from = received();
    red.send('node', { action: 'start' });
    await state('running', from);
    red.send('node', { action: 'remove' });
    const fits = ({ payload }: Record<string, unknown>) =>
      (payload as { removed?: boolean }).removed === true;
    deepEqual((await red.message('states', fits)).payload, { name: 'web', removed: true });
  });

  it('tells of a container that dies', async () => {
    await red.load(flow({}));
    const { pid } = await state('running');
    process.kill(pid!, 'SIGKILL');
    const { exitCode, reason } = await state('failed');
    equal(exitCode, 137);
    match(reason!, /SIGKILL/);
    await red.status('node', /^red ring failed \(137\)$/);
  });

  it('sends log lines to the second output', async () => {
    const talking = flow({ logs: true, command: `sh -c "echo one; echo two >&2; ${WAIT}"` });
    await red.load(talking);
    const one = await red.message('lines', ({ payload }) => payload === 'one');
    const two = await red.message('lines', ({ payload }) => payload === 'two');
    deepEqual([one.stream, two.stream, two.topic], ['stdout', 'stderr', 'web']);
    match(one.time as string, /^\d{4}-\d\d-\d\dT/);
    await red.deploy(talking);
    await state('running', 1);
    equal(red.received.get('lines')!.length, 2);
  });

  it('deploys from an OCI folder, with the settings of the dialog', async () => {
    writeOciLayout(folder.join('layout'), [image], ['1']);
    mkdirSync(folder.join('shared'));
    await red.load(
      flow({
        image: `oci:${folder.join('layout')}:1`,
        command: SLEEP,
        network: 'none',
        memory: '32m',
        mounts: [{ source: folder.join('shared'), target: '/shared', readOnly: true }],
      }),
    );
    equal((await state('running')).state, 'running');
  });

  it('uses the credentials of the fog-host', async () => {
    const closed = await startRegistry({ auth: true });
    try {
      await closed.push(image, 'private', '1');
      const registries = [{ host: closed.host, username: REGISTRY_USER.username, slot: 2 }];
      await red.load(flow({ image: `${closed.host}/private:1` }, { registries }), {
        host: { password2: REGISTRY_USER.password },
      });
      equal((await state('running')).name, 'web');
    } finally {
      await closed.stop();
    }
  });

  describe('reports, and lives on', () => {
    async function fails(properties: Record<string, unknown>, code: string, status: RegExp): Promise<void> {
      await red.load(flow({ start: false, ...properties }));
      red.send('node', {});
      const seen = await error();
      equal(seen.code, code);
      match(seen.message, new RegExp(seen.cause.hint.slice(0, 10).replace(/[.*+?^${}()|[\]\\]/g, '\\$&')));
      match(await red.status('node', /^red/), status);
      // The same node goes on working.
      red.send('node', { image: busybox, name: 'after', command: SLEEP });
      equal((await state('running')).name, 'after');
    }

    it('an image that does not exist', async () => {
      await fails(
        { image: `${registry.host}/nothing:1` },
        'ERR_IMAGE_NOT_FOUND',
        /^red ring image not found$/,
      );
    });

    it('a name that is none', async () => {
      await fails({ image: 'UPPER CASE' }, 'ERR_IMAGE_REFERENCE_INVALID', /^red ring wrong image name$/);
    });

    it('a command that the image does not have', async () => {
      await fails({ command: '/no/such' }, 'ERR_CONTAINER_COMMAND_NOT_FOUND', /^red ring command not found$/);
    });

    it('a registry that refuses', async () => {
      const refusing = await FaultyRegistry.start({ auth: 'basic', accounts: { a: 'b' } });
      try {
        refusing.add(image, 'busybox');
        const name = `${refusing.host}/busybox:latest`;
        await fails({ image: name }, 'ERR_REGISTRY_UNAUTHORIZED', /^red ring access denied$/);
      } finally {
        await refusing.stop();
      }
    });

    it('a registry that lies', async () => {
      const lying = await FaultyRegistry.start();
      try {
        const liars = makeImage({ layers: [fileLayer({ lie: 'a lie' })] });
        lying.add(liars, 'liar');
        lying.fault({ match: { kind: 'blob' }, action: { type: 'corrupt', at: 20 }, times: 1000 });
        const name = `${lying.host}/liar:latest`;
        await fails({ image: name }, 'ERR_IMAGE_DIGEST_MISMATCH', /^red ring image corrupt$/);
      } finally {
        await lying.stop();
      }
    });

    it('runc that is missing', async () => {
      const path = process.env.PATH;
      mkdirSync(folder.join('empty'), { recursive: true });
      process.env.PATH = [folder.join('empty')].join(delimiter);
      try {
        await red.load(flow({ command: SLEEP }));
        equal((await error()).code, 'ERR_TOOL_MISSING');
        await red.status('node', /^red ring program missing$/);
      } finally {
        process.env.PATH = path;
      }
      red.send('node', {});
      await state('running');
    });

    it('a setting that cannot be used', async () => {
      await red.load(flow({ memory: 'much' }));
      await red.status('node', /^red ring wrong setting$/);
      red.send('node', {});
      equal((await error()).code, 'ERR_INVALID_ARGUMENT');
    });

    it('a fog-host that is not there', async () => {
      await red.load(flow({ host: 'nobody' }));
      await red.status('node', /^red ring no such fog-host$/);
    });
  });

  it('cuts a deploy short when told to stop', async () => {
    const hanging = await FaultyRegistry.start();
    try {
      hanging.add(makeImage({ layers: [fileLayer({ slow: 'x'.repeat(1e5) })] }), 'slow');
      hanging.fault({ match: { kind: 'blob' }, action: { type: 'hang', after: 10 }, skip: 1, times: 1000 });
      await red.load(flow({ image: `${hanging.host}/slow:latest` }));
      await red.status('node', /^blue ring pulling/);
      red.send('node', { action: 'stop' });
      deepEqual((await red.message('states')).payload, { name: 'web', removed: true });
      equal((await error()).code, 'ERR_ABORTED');
    } finally {
      await hanging.stop();
    }
  });
});
