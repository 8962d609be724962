import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerStatus } from '../../lib';
import { leasesOf } from '../container/fixture';
import { garua, garuaJson, spawnGarua } from '../support/garua';
import { busyboxLayer, makeImage, writeOciLayout } from '../support/images';
import { temporaryFolder } from '../support/temporary';
import { chance, killAfter, mountsBelow, namesIn, processesWith } from './tools';

const ROUNDS = 20;
const STOP = ['stop', 'victim', '--time', '0.1'];
const REMOVE = ['rm', '--force', 'victim'];

describe('garua run, stop and rm, killed at any moment', () => {
  // Before the folder goes.
  after(async () => {
    for (const { name } of await garuaJson<ContainerStatus[]>(data, 'ps')) {
      await garua(data, 'rm', '--force', name);
    }
  });
  const folder = temporaryFolder();
  const data = folder.join('data');
  const ref = `oci:${folder.join('layout')}:1`;
  // A first process ignores other signals, and the grace would be waited for.
  const image = makeImage({ layers: [busyboxLayer()], config: { StopSignal: 'SIGKILL' } });
  /** Finds the containers' processes on this machine. */
  const marker = String(100_000 + process.pid);
  const seen = new Set<string>();

  before(async () => {
    writeOciLayout(folder.join('layout'), [image], ['1']);
    await garuaJson(data, 'pull', ref);
  });

  const runWords = (name: string, net: string, change = 0) => {
    const options = ['--name', name, '--net', net, '--detach', '--env', `CHANGE=${change}`];
    return ['run', ref, ...options, '--', '/bin/sleep', marker];
  };

  /** What is listed as running runs; what is not listed has left nothing. */
  async function assertConsistent(round: string): Promise<ContainerStatus[]> {
    const listed = await garuaJson<ContainerStatus[]>(data, 'ps');
    const running = listed.filter(({ state }) => state === 'running');
    const processes = processesWith(`/bin/sleep ${marker}`).filter((line) => !line.includes('--data'));
    assert.deepEqual(
      processes.map((line) => Number(line.split(' ')[0])).sort(),
      running.map(({ pid }) => pid).sort(),
      `${round}: ${processes.join('\n')}`,
    );
    const ids = namesIn(join(data, 'containers'));
    for (const id of ids) seen.add(id);
    assert.equal(ids.length, listed.length, `${round}: folders`);
    await settled(() => mountsBelow(data).length === running.length, `${round}: mounts ${mountsBelow(data)}`);
    for (const id of seen) {
      if (!ids.includes(id)) assert.deepEqual(await leasesOf(id), [], `${round}: address of ${id}`);
    }
    return listed;
  }

  it('leaves a state from which everything goes on', async () => {
    const random = chance('kill-run');
    const took: Record<string, number> = {};
    for (const words of [runWords('victim', 'bridge'), STOP, REMOVE]) {
      const started = performance.now();
      assert.equal((await garua(data, ...words)).status, 0);
      took[words[0]!] = performance.now() - started;
    }
    let killed = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const net = random() < 0.5 ? 'bridge' : 'none';
      const words = [runWords('victim', net, round), STOP, REMOVE][Math.floor(random() * 3)]!;
      // Something to stop, to remove, or to replace.
      if (words[0] !== 'run' || random() < 0.5) await garuaJson(data, ...runWords('victim', net, -1));
      for (const id of namesIn(join(data, 'containers'))) seen.add(id);
      const { status } = await killAfter(spawnGarua(data, words), (0.2 + random() * 0.8) * took[words[0]!]!);
      if (status === null) killed += 1;
      await assertConsistent(`round ${round}, ${words[0]}, ${net}`);
      const again = await garuaJson<ContainerStatus>(data, ...runWords('victim', net, round));
      assert.equal(again.state, 'running');
    }
    console.log(`    ${killed} of ${ROUNDS} killed`);
    assert.ok(killed > ROUNDS / 4);
    await assertConsistent('at the end');
    assert.equal((await garua(data, 'rm', '--force', 'victim')).status, 0);
    assert.deepEqual(await assertConsistent('removed'), []);
    await settled(() => processesWith(data).length === 0, `processes: ${processesWith(data)}`);
    const key = createHash('sha256').update(data).digest('hex').slice(0, 12);
    assert.deepEqual(namesIn(`/run/garua/${key}/runc`), []);
    assert.deepEqual(namesIn(join(data, 'container-exits')), []);
  });
});

describe('garua host, killed at any moment while it restarts a container', () => {
  after(() => garua(data, 'rm', '--force', 'victim'));
  const folder = temporaryFolder();
  const data = folder.join('data');
  const ref = `oci:${folder.join('layout')}:1`;
  const image = makeImage({ layers: [busyboxLayer()], config: { StopSignal: 'SIGKILL' } });
  // Ends soon, and its command line can be found.
  const script = `/bin/sleep 0.3; exit 1; : ${200_000 + process.pid}`;

  it('goes on with the next one, and never runs it twice', async () => {
    const random = chance('kill-host');
    writeOciLayout(folder.join('layout'), [image], ['1']);
    const words = ['--name', 'victim', '--restart', 'always', '--detach', '--', '/bin/sh', '-c', script];
    await garuaJson(data, 'run', ref, ...words);
    const seen = new Set(namesIn(join(data, 'containers')));
    for (let round = 0; round < 8; round += 1) {
      await killAfter(spawnGarua(data, ['host']), 200 + random() * 2_000);
      const [{ state, pid } = assert.fail('it has gone')] = await garuaJson<ContainerStatus[]>(data, 'ps');
      const found = processesWith(script).map((line) => Number(line.split(' ')[0]));
      assert.ok(['running', 'restarting'].includes(state), `round ${round}: ${state}`);
      // It may have ended between the two looks.
      assert.ok(found.length === 0 || (found.length === 1 && found[0] === pid), `round ${round}: ${found}`);
    }
    const before = await restarts();
    const last = spawnGarua(data, ['host']);
    while ((await restarts()) <= before) await delay(100);
    assert.equal((await garua(data, 'rm', '--force', 'victim')).status, 0);
    last.child.kill('SIGTERM');
    assert.equal((await last.result).status, 0);
    assert.deepEqual(namesIn(join(data, 'containers')), []);
    assert.deepEqual(mountsBelow(data), []);
    assert.deepEqual(namesIn(join(data, 'container-exits')), []);
    for (const id of seen) assert.deepEqual(await leasesOf(id), []);
    await settled(() => processesWith(script).length === 0, `processes: ${processesWith(script)}`);
  });

  async function restarts(): Promise<number> {
    const [status] = await garuaJson<ContainerStatus[]>(data, 'ps');
    return status!.restarts;
  }
});

/** Monitors and mounts go a moment after the command has ended. */
async function settled(condition: () => boolean, what: string): Promise<void> {
  for (let attempt = 0; attempt < 100 && !condition(); attempt += 1) await delay(50);
  assert.ok(condition(), what);
}
