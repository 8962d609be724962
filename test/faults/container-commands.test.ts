import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ContainerStats, ContainerStatus, VolumeStatus } from '../../lib';
import { garua, garuaJson, spawnGarua } from '../support/garua';
import { busyboxLayer, makeImage } from '../support/images';
import { startRegistry, type TestRegistry } from '../support/registry';
import { temporaryFolder } from '../support/temporary';

const MAIN = join(__dirname, '../../lib/cli/main.js');

describe('garua: containers that run', () => {
  // Before the folder goes, which is the next hook.
  after(async () => {
    for (const { name } of await garuaJson<ContainerStatus[]>(data, 'ps'))
      await garua(data, 'rm', '--force', name);
    await registry.stop();
  });
  const folder = temporaryFolder();
  const data = folder.join('data');
  let registry: TestRegistry;
  let ref: string;

  before(async () => {
    registry = await startRegistry();
    ref = `${registry.host}/fog/box:1`;
    // Unlike sleep alone, a shell takes care of processes that nobody waits for.
    const config = { Cmd: ['sh', '-c', 'while :; do sleep 0.2; done'], Env: ['PATH=/bin', 'PLACE=quay'] };
    await registry.push(makeImage({ layers: [busyboxLayer()], config }), 'fog/box', '1');
    await garuaJson(data, 'run', ref, '--name', 'box', '--detach', '--cpus', '0.5', '-v', 'cache:/cache');
  });

  it('exec: output, status, and what the command is given', async () => {
    const script = 'echo "$PLACE $KIND $(pwd)"; echo oops >&2; exit 3';
    const words = ['exec', 'box', '--env', 'KIND=crane', '--workdir', '/tmp', '--', 'sh', '-c', script];
    const plain = await garua(data, ...words);
    assert.equal(plain.status, 1);
    assert.equal(plain.stdout, 'quay crane /tmp\n');
    assert.match(
      plain.stderr,
      /^oops\nerror ERR_EXEC_FAILED: sh ended with status 3 in container box\nhint: .+\n$/,
    );
    const document = await garua(data, ...words.slice(0, 2), '--json', ...words.slice(2));
    assert.equal(document.status, 1);
    assert.deepEqual(JSON.parse(document.stdout), {
      exitCode: 3,
      stdout: 'quay crane /tmp\n',
      stderr: 'oops\n',
    });
    assert.deepEqual(await garua(data, 'exec', 'box', '--user', '5:6', '--', 'id', '-u'), {
      ...{ status: 0, stdout: '5\n', stderr: '' },
    });
    assert.match((await garua(data, 'exec', 'box', '--', 'none')).stderr, /ERR_CONTAINER_COMMAND_NOT_FOUND/);
    assert.match((await garua(data, 'exec', 'nobody', '--', 'true')).stderr, /ERR_CONTAINER_NOT_FOUND/);
  });

  it('exec -i: the command reads what garua is given', async () => {
    const words = ['exec', 'box', '-i', '--data', data, '--', 'sh', '-c', 'cat; exit 4'];
    const child = spawn(process.execPath, [MAIN, ...words], { stdio: ['pipe', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (text) => {
      stdout += text;
    });
    child.stderr.on('data', (text) => {
      stderr += text;
    });
    child.stdin.end('one\ntwo\n');
    const [status] = await once(child, 'close');
    assert.equal(stdout, 'one\ntwo\n');
    assert.equal(status, 1);
    assert.match(stderr, /ERR_EXEC_FAILED.*status 4/);
  });

  it('exec -t: the command has a terminal', async () => {
    // script(1) of util-linux gives garua one.
    const command = `${process.execPath} ${MAIN} exec box -t --data ${data} -- sh -c 'test -t 0 && test -t 1 && echo $TERM'`;
    const child = spawn('script', ['-qec', command, '/dev/null'], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, TERM: 'vt52' },
    });
    let stdout = '';
    child.stdout.on('data', (text) => {
      stdout += text;
    });
    const [status] = await once(child, 'close');
    // script(1) adds the mark of its own input’s end, before or after.
    assert.match(stdout, /vt52\r?\n/);
    assert.equal(status, 0);
  });

  const sleepers = async () =>
    (await garua(data, 'exec', 'box', '--', 'sh', '-c', "ps | grep -c '[s]leep 4321$'; true")).stdout.trim();

  it('exec through another process ends when it is interrupted, and the command with it', async () => {
    const host = spawnGarua(data, ['host']);
    try {
      await once(host.child.stderr!, 'data');
      const running = spawnGarua(data, ['exec', 'box', '--', 'sh', '-c', 'echo up; sleep 4321; true']);
      await once(running.child.stdout!, 'data');
      while ((await sleepers()) !== '1') await delay(20);
      running.child.kill('SIGINT');
      const { status, stderr } = await running.result;
      assert.equal(status, 1);
      assert.match(stderr, /ERR_ABORTED/);
      while ((await sleepers()) !== '0') await delay(20);
    } finally {
      host.child.kill('SIGTERM');
      await host.result;
    }
  });

  it('exec ends with the host that runs it, and is not begun again by the next', async () => {
    const host = spawnGarua(data, ['host']);
    await once(host.child.stderr!, 'data');
    const running = spawnGarua(data, ['exec', 'box', '--', 'sh', '-c', 'echo up; sleep 4321; true']);
    await once(running.child.stdout!, 'data');
    while ((await sleepers()) !== '1') await delay(20);
    host.child.kill('SIGTERM');
    await host.result;
    const { status, stderr } = await running.result;
    assert.equal(status, 1);
    assert.match(stderr, /ERR_CONTROL_DISCONNECTED/);
    assert.equal(await sleepers(), '0');
  });

  it('stats: a document and a table', async () => {
    const [row, ...more] = await garuaJson<ContainerStats[]>(data, 'stats');
    assert.deepEqual(more, []);
    assert.equal(row!.name, 'box');
    assert.ok([1, 2].includes(row!.processes!), `${row!.processes} processes`);
    assert.equal(row!.processLimit, 4096);
    assert.equal(typeof row!.cpus, 'number');
    const { stdout } = await garua(data, 'stats');
    assert.match(stdout, /^NAME +CORES +MEMORY .*\nbox +0\.\d\d +/);
  });

  it('ps: a table with health and restarts', async () => {
    const { stdout } = await garua(data, 'ps');
    assert.match(stdout, /^NAME +IMAGE +STATE +HEALTH +RESTARTS +PID +ADDRESS +PORTS +STARTED\n/);
    assert.match(stdout, /\nbox +\S+ +running +- +0 +\d+ +10\.86\.\d+\.\d+ +- +/);
  });

  it('restart: another process, the same files', async () => {
    await garua(data, 'exec', 'box', '--', 'touch', '/marker');
    const [before] = await garuaJson<ContainerStatus[]>(data, 'ps');
    const after = await garuaJson<ContainerStatus>(data, 'restart', 'box', '--time', '0');
    assert.equal(after.state, 'running');
    assert.notEqual(after.pid, before!.pid);
    assert.equal((await garua(data, 'exec', 'box', '--', 'ls', '/marker')).status, 0);
    assert.match((await garua(data, 'restart', 'nobody')).stderr, /ERR_CONTAINER_NOT_FOUND/);
  });

  it('volumes: who uses them; removed only when nobody does', async () => {
    const [volume] = await garuaJson<VolumeStatus[]>(data, 'volumes');
    assert.equal(volume!.name, 'cache');
    assert.deepEqual(volume!.usedBy, ['box']);
    assert.match((await garua(data, 'volumes', '--remove', 'cache')).stderr, /ERR_VOLUME_IN_USE/);
    await garua(data, 'rm', '--force', 'box');
    assert.equal((await garua(data, 'volumes', '--remove', 'cache')).stdout, 'cache removed\n');
    assert.deepEqual(await garuaJson(data, 'volumes'), []);
  });

  it('run says when nobody will act on a restart policy', async () => {
    const words = ['run', ref, '--name', 'kept', '--detach', '--net', 'none', '--restart', 'always'];
    const alone = await garua(data, ...words);
    assert.equal(alone.status, 0);
    assert.match(alone.stderr, /^restart policies .*garua host.*\n$/);
    const host = spawnGarua(data, ['host']);
    try {
      await once(host.child.stderr!, 'data');
      assert.deepEqual(await garua(data, ...words), { status: 0, stdout: 'kept\n', stderr: '' });
    } finally {
      host.child.kill('SIGTERM');
      await host.result;
    }
  });

  it('help lists the commands in sections that fit a terminal', async () => {
    const { stdout } = await garua(data, 'help');
    assert.match(stdout, /\nContainers\n {2}run +Start a container/);
    assert.ok(stdout.split('\n').every((line) => line.length <= 100));
  });
});
