import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { type Database, DataDirectory, GaruaError, openDatabase } from '../../lib/base';
import { type ByteStream, type CallContext, FogMesh } from '../../lib/mesh';
import { temporaryFolder } from '../support/temporary';
import { eventually } from './support/mesh-process';

const MEBIBYTE = 1 << 20;

const drain = async (stream: ByteStream) => {
  for await (const _ of stream.read());
};

describe('calls and streams between two hosts', () => {
  const folder = temporaryFolder();
  const databases: Database[] = [];
  let near: FogMesh;
  let far: FogMesh;

  async function open(name: string): Promise<FogMesh> {
    const directory = new DataDirectory(folder.join(name));
    directory.acquire();
    const database = openDatabase(directory.join('garua.db'));
    databases.push(database);
    const listen = ['/ip4/127.0.0.1/tcp/0'];
    return FogMesh.open({ directory, database, name, site: name, listen, mdns: false });
  }

  before(async () => {
    near = await open('near');
    far = await open('far');
    await near.createFog();
    await far.join(await near.invite());
    await eventually(async () => near.hosts().filter((host) => host.state === 'up').length, 2);
  });

  after(async () => {
    await near.close();
    await far.close();
    for (const database of databases) database.close();
  });

  it('carries arguments, results and errors with their codes', async () => {
    const stop = far.serve('sum', ({ a, b }: { a: number; b: number }, { peerId }: CallContext) => [
      a + b,
      peerId,
    ]);
    assert.deepEqual(await near.call('far', 'sum', { a: 1, b: 2 }), [3, near.peerId]);
    stop();
    await assert.rejects(near.call('far', 'sum', {}), { code: 'ERR_MESH_NO_SUCH_SERVICE' });
    far.serve('fail', () => {
      throw new GaruaError('ERR_TEST', 'it went wrong', 'try this');
    });
    await assert.rejects(near.call('far', 'fail'), {
      code: 'ERR_TEST',
      message: 'it went wrong',
      hint: 'try this',
    });
    assert.equal(await near.call('far', 'nothing').catch((error) => error.code), 'ERR_MESH_NO_SUCH_SERVICE');
    await assert.rejects(near.call('elsewhere', 'sum'), { code: 'ERR_MESH_HOST_NOT_FOUND' });
  });

  it('keeps many calls apart', async () => {
    far.serve('later', async ({ value, ms }: { value: number; ms: number }) => {
      await delay(ms);
      return value;
    });
    const values = Array.from({ length: 200 }, (_, value) => value);
    const results = await Promise.all(
      values.map((value) => near.call('far', 'later', { value, ms: (value * 7) % 50 })),
    );
    assert.deepEqual(results, values);
  });

  it('ends a call at its time limit and by its signal, and tells the handler', async () => {
    let ended = 0;
    far.serve('endless', async (_: unknown, { signal }: CallContext) => {
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
      ended += 1;
    });
    await assert.rejects(near.call('far', 'endless', null, { timeoutMs: 50 }), { code: 'ERR_MESH_TIMEOUT' });
    await eventually(async () => ended, 1);
    const signal = AbortSignal.timeout(50);
    await assert.rejects(near.call('far', 'endless', null, { signal }), { code: 'ERR_ABORTED' });
    await eventually(async () => ended, 2);
  });

  it('refuses what is too large, on both ways, and goes on', async () => {
    far.serve('big', (size: number) => 'x'.repeat(size));
    far.serve('size', (text: string) => text.length);
    await assert.rejects(near.call('far', 'big', 5 * MEBIBYTE), { code: 'ERR_MESH_MESSAGE_TOO_LARGE' });
    await assert.rejects(near.call('far', 'size', 'x'.repeat(5 * MEBIBYTE)), {
      code: 'ERR_MESH_MESSAGE_TOO_LARGE',
    });
    assert.equal(await near.call('far', 'size', 'x'.repeat(3 * MEBIBYTE)), 3 * MEBIBYTE);
  });

  it('streams bytes both ways, and refusals with their codes', async () => {
    far.serveStream('upper', async (header: { word: string }, stream: ByteStream) => {
      if (header.word !== 'please') throw new GaruaError('ERR_TEST_IMPOLITE', 'say please', 'say it');
      for await (const chunk of stream.read())
        await stream.write(Buffer.from(Buffer.from(chunk).toString().toUpperCase()));
    });
    const stream = await near.openStream('far', 'upper', { word: 'please' });
    let text = '';
    const reading = (async () => {
      for await (const chunk of stream.read()) text += Buffer.from(chunk).toString();
    })();
    await stream.write(Buffer.from('quiet '));
    await stream.write(Buffer.from('words'));
    await stream.end();
    await reading;
    assert.equal(text, 'QUIET WORDS');
    await assert.rejects(near.openStream('far', 'upper', { word: 'now' }), { code: 'ERR_TEST_IMPOLITE' });
    await assert.rejects(near.openStream('far', 'lower'), { code: 'ERR_MESH_NO_SUCH_SERVICE' });
  });

  it('holds a writer back while its reader is slow, and loses nothing', async () => {
    const size = 64 * MEBIBYTE;
    let written = 0;
    far.serveStream('flood', async (_: unknown, stream: ByteStream) => {
      const chunk = Buffer.alloc(MEBIBYTE);
      for (; written < size; written += chunk.length) {
        chunk.fill(written / MEBIBYTE);
        await stream.write(chunk);
      }
    });
    const stream = await near.openStream('far', 'flood');
    await delay(1500);
    const before = written;
    assert.ok(before < 16 * MEBIBYTE, `${before} bytes were sent to a reader that does not read`);
    let read = 0;
    let rests = 0;
    for await (const chunk of stream.read()) {
      for (const at of [0, chunk.length - 1]) assert.equal(chunk[at], Math.floor((read + at) / MEBIBYTE));
      read += chunk.length;
      if (read < (rests + 1) * 8 * MEBIBYTE) continue;
      rests += 1;
      await delay(200);
      const ahead = written - read;
      assert.ok(ahead < 24 * MEBIBYTE, `${ahead} bytes were sent to a reader that rests again`);
    }
    assert.equal(read, size);
    assert.ok(near.host('far').throughput! > 0);
  });

  it('tells the writer when the reader leaves, and the reader when the writer fails', async () => {
    let failure: unknown;
    far.serveStream('until-error', async (_: unknown, stream: ByteStream) => {
      try {
        for (;;) await stream.write(Buffer.alloc(64 << 10));
      } catch (error) {
        failure = error;
      }
    });
    for await (const _ of (await near.openStream('far', 'until-error')).read()) break;
    await eventually(async () => (failure as GaruaError | undefined)?.code, 'ERR_MESH_STREAM_BROKEN');
    far.serveStream('half', async (_: unknown, stream: ByteStream) => {
      await stream.write(Buffer.alloc(10));
      throw new Error('the disk broke');
    });
    const half = await near.openStream('far', 'half');
    await assert.rejects(drain(half), { code: 'ERR_MESH_STREAM_BROKEN' });
    const controller = new AbortController();
    const cut = await near.openStream('far', 'until-error', null, { signal: controller.signal });
    controller.abort();
    await assert.rejects(drain(cut));
  });

  it('does not block the event loop while bytes pass', async () => {
    far.serveStream('much', async (_: unknown, stream: ByteStream) => {
      await stream.write(Buffer.alloc(96 * MEBIBYTE));
    });
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    for await (const _ of (await near.openStream('far', 'much')).read());
    clearInterval(timer);
    // Written in one call, yet other work has its turn all the time, however slow the machine is.
    assert.ok(turns > 30, `other work had ${turns} turns`);
  });
});
