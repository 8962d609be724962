import assert from 'node:assert/strict';
import { mkdirSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { GaruaError } from '../../lib/base';
import { RemoteCaller } from '../../lib/control/remote-caller';
import { ControlServer } from '../../lib/control/server';
import type { Host } from '../../lib/host';
import { temporaryFolder } from '../support/temporary';

/** The calls that these tests make, with what they saw. */
function recordingHost() {
  const seen = { cancelled: 0, yielded: 0, pulls: [] as unknown[] };
  const host = {
    async info() {
      return { name: 'here', version: '1', dataDirectory: '/data', pid: 1 };
    },
    async pull(
      ref: string,
      options: { signal: AbortSignal; onProgress(progress: unknown): void; insecure?: boolean },
    ) {
      seen.pulls.push([ref, options.insecure]);
      if (ref === 'missing')
        throw new GaruaError('ERR_IMAGE_NOT_FOUND', 'there is no image missing', 'Check it.');
      if (ref === 'endless') {
        await new Promise((resolve) => options.signal.addEventListener('abort', resolve));
        seen.cancelled += 1;
        throw new Error('cancelled');
      }
      options.onProgress({ phase: 'pulling', done: 1, total: 2, unit: 'bytes' });
      await delay(ref === 'slow' ? 300 : 0);
      return { ref };
    },
    async removeImage() {},
    async *logs(_name: string, { signal }: { signal: AbortSignal }) {
      try {
        while (!signal.aborted) {
          seen.yielded += 1;
          yield { text: 'x'.repeat(10_000) };
          if (seen.yielded % 10 === 0) await delay(0);
        }
      } finally {
        seen.cancelled += 1;
      }
    },
    async *watch() {
      yield { name: 'one' };
      yield { name: 'two' };
    },
  };
  return { host: host as unknown as Host, seen };
}

async function eventually(condition: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 200 && !condition(); attempt++) await delay(10);
  assert.ok(condition());
}

describe('control socket', () => {
  const folder = temporaryFolder();
  const { host, seen } = recordingHost();
  const path = folder.join('control.sock');
  const caller = new RemoteCaller(path);
  let server: ControlServer;

  before(async () => {
    server = await ControlServer.listen(host, path);
  });
  after(() => server.close());

  it('is closed to everybody but its owner and group', () => {
    assert.equal(statSync(path).mode & 0o777, 0o660);
  });

  it('carries arguments, options, progress and the result', async () => {
    const progress: unknown[] = [];
    const onProgress = (step: unknown) => progress.push(step);
    const result = await caller.call('pull', ['alpine', { insecure: true }], { onProgress });
    assert.deepEqual(result, { ref: 'alpine' });
    assert.deepEqual(progress, [{ phase: 'pulling', done: 1, total: 2, unit: 'bytes' }]);
    assert.deepEqual(seen.pulls.at(-1), ['alpine', true]);
    assert.equal(await caller.call('removeImage', ['alpine']), undefined);
  });

  it('carries errors with code and hint', async () => {
    await assert.rejects(caller.call('pull', ['missing']), {
      code: 'ERR_IMAGE_NOT_FOUND',
      hint: 'Check it.',
    });
    await assert.rejects(caller.call('toString' as keyof Host, []), { code: 'ERR_INVALID_ARGUMENT' });
    await assert.rejects(caller.call('close', []), { code: 'ERR_INVALID_ARGUMENT' });
  });

  it('cancels a call on both sides', async () => {
    const before = seen.cancelled;
    const controller = new AbortController();
    const call = caller.call('pull', ['endless'], { signal: controller.signal });
    setTimeout(() => controller.abort(), 50);
    await assert.rejects(call, { code: 'ERR_ABORTED' });
    await eventually(() => seen.cancelled === before + 1);
  });

  it('slows a stream down to the reader, and ends it when the reader leaves', async () => {
    const before = seen.cancelled;
    let read = 0;
    for await (const _line of caller.stream('logs', ['web'])) {
      if (++read === 5) await delay(300);
      if (read === 20) break;
    }
    assert.ok(seen.yielded < 2000, `${seen.yielded} lines were made for 20 that were read`);
    await eventually(() => seen.cancelled === before + 1);
  });

  it('ends a finite stream', async () => {
    const items = [];
    for await (const item of caller.stream('watch', [])) items.push(item);
    assert.deepEqual(items, [{ name: 'one' }, { name: 'two' }]);
  });

  it('survives a caller that talks nonsense', async () => {
    const socket = connect(path);
    socket.end('GET / HTTP/1.1\r\n\r\n');
    await new Promise((resolve) => socket.once('close', resolve));
    assert.ok(await caller.call('info', []));
  });

  it('speaks through paths that are too long for a socket address', async () => {
    const deep = folder.join('d'.repeat(100), 'e'.repeat(100));
    mkdirSync(deep, { recursive: true });
    const other = await ControlServer.listen(host, `${deep}/control.sock`);
    assert.ok(await new RemoteCaller(`${deep}/control.sock`).call('info', []));
    await other.close();
    await assert.rejects(new RemoteCaller(`${deep}/control.sock`).call('info', []), {
      code: 'ERR_CONTROL_UNREACHABLE',
    });
  });

  it('answers calls under way before it closes, and cuts streams', async () => {
    const path = folder.join('closing.sock');
    const closing = await ControlServer.listen(host, path);
    const caller = new RemoteCaller(path);
    const call = caller.call('pull', ['slow']);
    const stream = (async () => {
      for await (const _line of caller.stream('logs', ['web']));
    })();
    const cut = assert.rejects(stream, { code: 'ERR_CONTROL_DISCONNECTED' });
    await delay(100);
    await closing.close();
    assert.deepEqual(await call, { ref: 'slow' });
    await cut;
    await assert.rejects(caller.call('info', []), { code: 'ERR_CONTROL_UNREACHABLE' });
  });

  it('closes also while callers say nothing, hang up, do not read, or wait for what does not come', async () => {
    const path = folder.join('stuck.sock');
    const closing = await ControlServer.listen(host, path);
    const before = seen.cancelled;
    const silent = connect(path);
    const half = connect(path);
    half.write('{"method":');
    const hung = connect(path);
    hung.end();
    const deaf = connect({ path, allowHalfOpen: true });
    deaf.write('{"method":"pull","arguments":["slow"]}\n');
    const endless = new RemoteCaller(path).call('pull', ['endless']);
    const refused = assert.rejects(endless);
    const sockets = [silent, half, hung, deaf];
    for (const socket of sockets) socket.on('error', () => {});
    await delay(100);
    await closing.close(500);
    assert.equal(seen.cancelled, before + 1);
    await refused;
    for (const socket of sockets) socket.destroy();
  });
});
