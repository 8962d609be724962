import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerStatus } from '../../lib/container';
import { ContainerFixture, eventually } from '../container/fixture';

const DIES = ['sh', '-c', 'echo run; exit 3'];
/** Runs until it finds the file /tmp/end. */
const LIVES = ['sh', '-c', 'while ! test -e /tmp/end; do sleep 0.02; done; rm /tmp/end; exit 5'];

describe('container: restart policies in trouble', () => {
  let fixture: ContainerFixture;
  beforeEach(async () => {
    fixture = await ContainerFixture.create();
    await fixture.reopen();
  });
  afterEach(() => fixture.destroy());

  const always = { policy: 'always' } as const;

  it('gives up after so many times in vain, and says so', async () => {
    await fixture.deploy({ command: DIES, restart: { policy: 'on-failure', maximumRetries: 2 } });
    const { state, reason, restarts, exitCode } = await fixture.engine.wait('box');
    assert.deepEqual([state, restarts, exitCode], ['failed', 2, 3]);
    assert.equal(reason, 'exited; restarted 2 times in vain');
    const lines: string[] = [];
    for await (const { text } of fixture.engine.logs('box')) lines.push(text);
    assert.deepEqual(lines, ['run', 'run', 'run']);
  });

  it('goes on trying when a start fails, with its reason', async () => {
    const folder = join(fixture.path, 'nas');
    await mkdir(folder);
    const mounts = [{ source: folder, target: '/nas' }];
    await fixture.deploy({ command: LIVES, restart: always, mounts });
    await rm(folder, { recursive: true });
    const [id] = await readdir(fixture.directory.join('containers'));
    await writeFile(fixture.directory.join('containers', id!, 'root/tmp/end'), '');
    const late = await fixture.until(({ reason }) => /could not start: mounts: /.test(reason ?? ''));
    assert.deepEqual([late.state, late.restarts], ['restarting', 0]);
    await mkdir(folder);
    await fixture.until(({ state, restarts }) => state === 'running' && restarts === 1);
  });

  it('goes on with the pause of a process that was killed in it', async () => {
    await fixture.close();
    const { image, layers } = await fixture.image();
    const document = join(fixture.path, 'deploy.json');
    const spec = { image: image.ref, name: 'box', network: 'none', command: DIES, restart: always };
    const supervise = true;
    await writeFile(
      document,
      JSON.stringify({ directory: fixture.directory.path, spec, image, layers, supervise }),
    );
    const child = spawn(process.execPath, [join(__dirname, '../container/owner.js'), document], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const closed = once(child, 'close');
    let said = '';
    child.stdout.on('data', (text) => {
      said += text;
    });
    await eventually(async () => said.includes('"restarting"'));
    child.kill('SIGKILL');
    await closed;
    await fixture.open();
    const found: ContainerStatus = await fixture.engine.get('box');
    assert.deepEqual([found.state, found.restarts], ['restarting', 0]);
    await fixture.until(({ restarts }) => restarts === 1);
  });
});
