import { createHash, createHmac } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import type { Server } from 'node:net';
import {
  ObjectStore,
  type ObjectStoreOptions,
  type Provider,
  type Signer,
  type StoredObject,
} from '../../../lib/store';
import { serveStore, TcpProvider } from './wire';

/** Signs with a key that is made from the writer's name. */
export function testSigner(writer: string): Signer {
  const sign = (who: string, bytes: Uint8Array) =>
    createHmac('sha256', createHash('sha256').update(who).digest()).update(bytes).digest();
  return {
    writer: async () => writer,
    sign: async (bytes) => sign(writer, bytes),
    verify: async (who, bytes, signature) => sign(who, bytes).equals(signature),
  };
}

export type TestStoreOptions = Partial<ObjectStoreOptions> & {
  dataDirectory: string;
  providers?: Provider[];
};

/** Opens a store with short time limits and the providers as its other sites. */
export async function openStore(options: TestStoreOptions): Promise<ObjectStore> {
  const { providers, ...rest } = options;
  mkdirSync(options.dataDirectory, { recursive: true });
  const writer = options.writer ?? 'writer';
  return ObjectStore.open({
    site: 'here',
    writer,
    signer: testSigner(writer),
    sites: providers && {
      met: async () => {},
      connected: () => providers,
      names: () => [...new Set(providers.map(({ site }) => site))],
    },
    ...rest,
    limits: { haveMs: 1000, blockMs: 1000, locatorMs: 1000, ...options.limits },
  });
}

/** A site with one host, served over TCP. */
export class TestSite {
  private constructor(
    readonly name: string,
    readonly store: ObjectStore,
    private readonly server: Server,
  ) {}

  static async open(
    name: string,
    options: TestStoreOptions,
    onBlock?: () => Promise<void>,
  ): Promise<TestSite> {
    const store = await openStore({ site: name, ...options });
    return new TestSite(name, store, await serveStore(store, onBlock));
  }

  provider(rttMs = 1): TcpProvider {
    return new TcpProvider(this.name, this.port, rttMs);
  }

  get port(): number {
    return (this.server.address() as { port: number }).port;
  }

  async close(): Promise<void> {
    this.server.close();
    await this.store.close();
  }
}

export async function readAll(object: StoredObject): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of object) chunks.push(chunk);
  return Buffer.concat(chunks);
}
