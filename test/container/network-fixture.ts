import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { execute } from '../../lib/base';

export async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export async function natRules(): Promise<string> {
  return (await execute('iptables', ['-w', '10', '-t', 'nat', '-S'])).stdout;
}

const ip = (...args: string[]) => execute('ip', args);

/** A network namespace that reaches this machine by a cable. */
export class OtherMachine {
  private constructor(
    readonly name: string,
    /** This machine's address on the cable. */
    readonly host: string,
  ) {}

  static async create(): Promise<OtherMachine> {
    const bytes = randomBytes(3);
    const name = `gt-${bytes.toString('hex')}`;
    const net = `10.77.${bytes[0]}`;
    const machine = new OtherMachine(name, `${net}.1`);
    try {
      await ip('netns', 'add', name);
      await ip('link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
      await ip('address', 'add', `${net}.1/24`, 'dev', name);
      await ip('link', 'set', name, 'up');
      for (const link of ['lo', 'eth0']) await ip('-n', name, 'link', 'set', link, 'up');
      await ip('-n', name, 'address', 'add', `${net}.2/24`, 'dev', 'eth0');
      return machine;
    } catch (error) {
      await machine.close();
      throw error;
    }
  }

  /** The page that a program there gets. */
  async fetch(url: string): Promise<string> {
    const script = `fetch('${url}').then((answer) => answer.text()).then(console.log)`;
    return (await execute('ip', ['netns', 'exec', this.name, process.execPath, '-e', script])).stdout.trim();
  }

  async close(): Promise<void> {
    await execute('ip', ['link', 'delete', this.name], { allowFailure: true });
    await execute('ip', ['netns', 'delete', this.name], { allowFailure: true });
  }
}
