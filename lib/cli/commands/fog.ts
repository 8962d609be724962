import { text as readText } from 'node:stream/consumers';
import type { Host } from '../../host';
import type { FogInfo } from '../../mesh';
import { type Command, type Invocation, longCall, text, UsageError, withHost } from '../command';
import { printJson } from '../output';

const HOUR = 3_600_000;

/** `garua fog`: who belongs to the fog. */
export const fog: Command = {
  name: 'fog',
  usage:
    'create [NAME] | invite [--uses N] [--hours N] [--admin] | join INVITE | revoke HOST | show  [--data DIR] [--json]',
  summary:
    'Make a fog, let hosts in, or shut one out. invite prints one line, a secret; join - reads it from standard input.',
  options: { uses: { type: 'string' }, hours: { type: 'string' }, admin: { type: 'boolean' } },
  positionals: { minimum: 1, maximum: 2 },
  async run(invocation) {
    const [action, word] = invocation.positionals;
    const run = ACTIONS[action as keyof typeof ACTIONS];
    if (!run) throw new UsageError(`garua fog does not know "${action}"`);
    const needs = action === 'join' ? 'an invite' : action === 'revoke' ? 'a host' : undefined;
    if (needs && word === undefined) throw new UsageError(`fog ${action} needs ${needs}`);
    if (word !== undefined && (action === 'show' || action === 'invite')) {
      throw new UsageError(`"${word}" is one word too many`);
    }
    const checked = await run.prepare(invocation, word);
    await withHost(invocation, (host) => run.act(host, invocation, checked as never));
  },
};

interface Action<T> {
  /** Reads the words; no host is opened for wrong usage. */
  prepare(invocation: Invocation, word: string | undefined): T | Promise<T>;
  act(host: Host, invocation: Invocation, prepared: T): Promise<void>;
}

const create: Action<string | undefined> = {
  prepare: (_, word) => word,
  act: async (host, { options }, name) => show(await host.fogCreate({ name }), options.json === true),
};

const invite: Action<{ uses: number | undefined; validMs: number | undefined; admin: boolean }> = {
  prepare: ({ options }) => {
    const hours = count(text(options, 'hours'), 'hours');
    return {
      uses: count(text(options, 'uses'), 'uses'),
      validMs: hours === undefined ? undefined : hours * HOUR,
      admin: options.admin === true,
    };
  },
  act: async (host, { options }, wanted) => {
    const line = await host.fogInvite(wanted);
    if (options.json) printJson({ invite: line });
    else process.stdout.write(`${line}\n`);
  },
};

const join: Action<string> = {
  // On the command line every user of the machine can see it.
  prepare: async (_, word) => (word === '-' ? readText(process.stdin) : word!),
  act: async (host, invocation, line) =>
    show(await host.fogJoin(line, longCall(invocation)), invocation.options.json === true),
};

const revoke: Action<string> = {
  prepare: (_, word) => word!,
  act: async (host, { options }, name) => {
    const { name: revoked, peerId } = await host.fogRevoke(name);
    if (options.json) printJson({ name: revoked, peerId, revoked: true });
    else process.stdout.write(`${revoked} is shut out\n`);
  },
};

const showFog: Action<void> = {
  prepare: () => {},
  act: async (host, { options }) => {
    const info = await host.fog();
    if (info) show(info, options.json === true);
    else if (options.json) printJson(null);
    else process.stdout.write('this host belongs to no fog\n');
  },
};

const ACTIONS = { create, invite, join, revoke, show: showFog };

function show(info: FogInfo, json: boolean): void {
  if (json) {
    printJson(info);
    return;
  }
  const { name, fingerprint, host, site, peerId, addresses, hosts } = info;
  const others = hosts === 1 ? 'no other host yet' : `${hosts} hosts`;
  process.stdout.write(`fog ${name} (${fingerprint}), ${others}\nhost ${host} at site ${site}, ${peerId}\n`);
  for (const address of addresses) process.stdout.write(`reached at ${address}\n`);
}

function count(value: string | undefined, name: string): number | undefined {
  if (value === undefined) return undefined;
  if (!/^[1-9]\d{0,5}$/.test(value)) throw new UsageError(`--${name} ${value} is not a number above 0`);
  return Number(value);
}
