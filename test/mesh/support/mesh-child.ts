/**
 * A host of a fog in a process of its own: `node mesh-child.js OPTIONS-AS-JSON`. It reads `{id, method,
 * parameters}` lines and answers `{id, result}` or `{id, error}`; events of the view come as `{event}`.
 */
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { DataDirectory, openDatabase, toGaruaError } from '../../../lib/base';
import { type ByteStream, type CallContext, FogMesh } from '../../../lib/mesh';

export interface ChildOptions {
  data: string;
  name: string;
  site: string;
  listen?: string[];
  join?: string[];
  mdns?: boolean;
  /** Shifts this process's clock, in ms. */
  clock?: number;
}

async function main(options: ChildOptions): Promise<void> {
  const { clock = 0 } = options;
  const realNow = Date.now.bind(Date);
  if (clock) Date.now = () => realNow() + clock;
  const directory = new DataDirectory(options.data);
  directory.acquire();
  const mesh = await FogMesh.open({
    mdns: false,
    ...options,
    directory,
    database: openDatabase(directory.join('garua.db')),
  });
  const seen = { cancelled: 0 };
  mesh.serve('test.echo', async (value: unknown) => value);
  mesh.serve('test.slow', async (_: unknown, { signal }: CallContext) => {
    await delay(60_000, undefined, { signal }).catch(() => {
      seen.cancelled += 1;
    });
  });
  mesh.serve('test.big', async (bytes: number) => 'x'.repeat(bytes));
  mesh.serveStream('test.bytes', async ({ size }: { size: number }, stream: ByteStream) => {
    const chunk = Buffer.alloc(256 << 10, 1);
    for (let sent = 0; sent < size; sent += chunk.length) await stream.write(chunk.subarray(0, size - sent));
  });
  const methods: Record<string, (...parameters: never[]) => unknown> = {
    createFog: (name: string) => mesh.createFog({ name }),
    invite: (more: object) => mesh.invite(more),
    join: (invite: string) => mesh.join(invite),
    revoke: (host: string) => mesh.revoke(host),
    fog: () => mesh.fog() ?? null,
    hosts: () => mesh.hosts(),
    call: (host: string, name: string, argument: unknown, more: object) =>
      mesh.call(host, name, argument, more),
    drain: async (host: string, size: number) => {
      let bytes = 0;
      for await (const chunk of (await mesh.openStream(host, 'test.bytes', { size })).read())
        bytes += chunk.length;
      return bytes;
    },
    provide: (cid: string) => mesh.locator.provide(cid, AbortSignal.timeout(5000)),
    providers: async (cid: string) => {
      const found = [];
      for await (const peerId of mesh.locator.findProviders(cid, AbortSignal.timeout(5000)))
        found.push(peerId);
      return found;
    },
    cancelled: () => seen.cancelled,
    usage: () => ({ rss: process.memoryUsage().rss, cpu: process.cpuUsage() }),
    close: async () => {
      await mesh.close();
      setImmediate(() => process.exit(0));
    },
  };
  const print = (line: unknown) => process.stdout.write(`${JSON.stringify(line)}\n`);
  createInterface({ input: process.stdin }).on('line', async (line) => {
    const { id, method, parameters } = JSON.parse(line);
    try {
      print({ id, result: (await methods[method]!(...(parameters as never[]))) ?? null });
    } catch (error) {
      print({ id, error: toGaruaError(error, method).toJSON() });
    }
  });
  process.stdin.on('end', () => process.exit(0));
  print({ ready: mesh.peerId });
}

main(JSON.parse(process.argv[2]!) as ChildOptions).catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
