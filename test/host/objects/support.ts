import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openHost } from '../../../lib/control';
import type { GetResult, Host, PutFileOptions, PutFileResult } from '../../../lib/host';

/** A host of a fog that stays, in this process, and its files. */
export class FogHost {
  private constructor(
    readonly name: string,
    readonly data: string,
    public host: Host,
  ) {}

  /** @param folder holds the data of all hosts and the NAS of each site */
  static async open(folder: string, name: string, site: string): Promise<FogHost> {
    const [data, nas] = [join(folder, name), join(folder, `nas-${site}`)];
    mkdirSync(nas, { recursive: true });
    return new FogHost(name, data, await open(data, { name, site, nas }));
  }

  /** Ends and comes back, with nothing but its data directory. */
  async reopen(whileAway: () => Promise<void> = async () => {}): Promise<void> {
    await this.host.close();
    await whileAway();
    this.host = await open(this.data, {});
  }

  put(bytes: Uint8Array, options?: PutFileOptions): Promise<PutFileResult> {
    const file = join(this.data, 'to-put');
    writeFileSync(file, bytes);
    return this.host.put(file, options);
  }

  async get(object: string): Promise<GetResult & { bytes: Buffer }> {
    const file = join(this.data, 'got');
    writeFileSync(file, '');
    const result = await this.host.get(object, file);
    return { ...result, bytes: readFileSync(file) };
  }

  async join(other: FogHost): Promise<void> {
    await this.host.fogJoin(await other.host.fogInvite());
  }
}

function open(
  dataDirectory: string,
  settings: { name?: string; site?: string; nas?: string },
): Promise<Host> {
  return openHost({
    ...settings,
    dataDirectory,
    mesh: { listen: ['/ip4/127.0.0.1/tcp/0'] },
    supervise: true,
  });
}

/** Waits until every host sees all of them. */
export async function met(hosts: FogHost[]): Promise<void> {
  for (const { host, name } of hosts) {
    await eventually(`${name} sees the others`, async () => {
      const all = (await host.sites()).flatMap((site) => site.hosts);
      return all.filter(({ state }) => state === 'up').length === hosts.length;
    });
  }
}

export async function eventually(what: string, check: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000;
  while (!(await check())) {
    assert.ok(performance.now() < end, what);
    await delay(100);
  }
}
