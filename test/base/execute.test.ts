import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { execute } from '../../lib/base';
import { temporaryFolder } from '../support/temporary';

describe('execute', () => {
  const folder = temporaryFolder();

  it('gives output and input, without a shell', async () => {
    const { stdout, exitCode } = await execute('cat', ['-'], { input: 'a;b $HOME' });
    assert.equal(stdout, 'a;b $HOME');
    assert.equal(exitCode, 0);
  });

  it('names a program that is missing', async () => {
    await assert.rejects(execute('no-such-program', []), {
      code: 'ERR_TOOL_MISSING',
      message: /no-such-program/,
    });
  });

  it('reports the status and the last line of a failure', async () => {
    const failing = execute('sh', ['-c', 'echo first >&2; echo the reason >&2; exit 3']);
    await assert.rejects(failing, { code: 'ERR_TOOL_FAILED', message: /status 3.*the reason/, exitCode: 3 });
    const allowed = await execute('false', [], { allowFailure: true });
    assert.equal(allowed.exitCode, 1);
  });

  it('kills the whole group after the time limit', async () => {
    const pidFile = folder.join('pid');
    const hanging = execute('sh', ['-c', `sleep 60 & echo $! > ${pidFile}; wait`], { timeoutMs: 300 });
    await assert.rejects(hanging, { code: 'ERR_TOOL_TIMEOUT' });
    const pid = readFileSync(pidFile, 'utf8').trim();
    const state = () => /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
    // Gone, or a zombie that its new parent has not collected yet.
    assert.ok(!['R', 'S', 'D'].includes(safely(state) ?? 'gone'));
  });

  it('ends at the signal, also before it began', async () => {
    const controller = new AbortController();
    const running = execute('sleep', ['60'], { signal: controller.signal });
    controller.abort();
    await assert.rejects(running, { code: 'ERR_ABORTED' });
    await assert.rejects(execute('sleep', ['60'], { signal: controller.signal }), { code: 'ERR_ABORTED' });
  });

  it('keeps no more output than it may', async () => {
    const { stdout } = await execute('sh', ['-c', 'head -c 100000 /dev/zero'], { maxOutput: 1000 });
    assert.equal(stdout.length, 1000);
  });
});

function safely<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
