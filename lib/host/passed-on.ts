import type { ContainerEngine } from '../container';
import type { HostFog } from './fog';
import type { Host } from './host';
import type { HostMessages } from './messages';
import type { HostMigrations } from './migration';
import type { HostObjects } from './objects';
import type { HostOperators } from './operators';
import type { HostScale } from './scale';

/** The parts of a host that answer calls by themselves. */
export interface HostParts {
  engine: ContainerEngine;
  store: Awaited<ReturnType<HostObjects['store']>>;
  messages: Awaited<ReturnType<HostMessages['open']>>;
  fog: HostFog;
  migrations: HostMigrations;
  scaling: HostScale;
  flows: HostOperators;
}

/** The calls of `Host` that a part has too, with the same parameters and result. */
type CallsOf<Part> = {
  [Name in keyof Host & keyof Part]: Part[Name] extends (
    ...parameters: Parameters<Host[Name]>
  ) => ReturnType<Host[Name]> | Awaited<ReturnType<Host[Name]>>
    ? Name
    : never;
}[keyof Host & keyof Part];

type Table = { readonly [Part in keyof HostParts]?: readonly CallsOf<HostParts[Part]>[] };
type NamesIn<T extends Table> =
  NonNullable<T[keyof T]> extends readonly (infer Name)[] ? Name & keyof Host : never;

const CALLS = {
  engine: ['start', 'stop', 'remove', 'execPlan', 'stats', 'wait', 'volumes', 'removeVolume'],
  store: ['where', 'pin', 'unpin', 'scrub', 'gc'],
  messages: [
    ...(['publish', 'acknowledge', 'queues', 'forgetQueue', 'expectSubscriber'] as const),
    ...(['roam', 'handOff', 'takeOver', 'takeBack', 'releaseSubscriber', 'roaming'] as const),
  ],
  fog: ['sites'],
  migrations: ['migrate'],
  scaling: ['scale'],
  flows: ['removeFlow', 'operators', 'moveOperator', 'scaleOperator'],
} as const satisfies Table;

const STREAMS = { engine: ['logs', 'exec'], messages: ['subscribe'] } as const satisfies Table;

type PassedOn = Pick<Host, NamesIn<typeof CALLS> | NamesIn<typeof STREAMS>>;
/** Opens a part of this host, or finds it open. */
type PartOf = <Part extends keyof HostParts>(part: Part) => HostParts[Part] | Promise<HostParts[Part]>;
type Method = (...parameters: unknown[]) => unknown;

/** Answers the calls that parts of a host answer by themselves. */
export const PassingOn = class {
  constructor(partOf: PartOf) {
    const methodOf = async (part: keyof HostParts, name: string): Promise<Method> => {
      const opened = (await partOf(part)) as unknown as Record<string, Method>;
      return (...parameters) => opened[name]!(...parameters);
    };
    const answers = this as unknown as Record<string, Method>;
    for (const [part, name] of entries(CALLS))
      answers[name] = async (...parameters) => (await methodOf(part, name))(...parameters);
    for (const [part, name] of entries(STREAMS))
      answers[name] = async function* (...parameters) {
        yield* (await methodOf(part, name))(...parameters) as AsyncIterable<unknown>;
      };
  }
} as unknown as new (
  partOf: PartOf,
) => PassedOn;

function entries(table: Table): [part: keyof HostParts, name: string][] {
  return Object.entries(table).flatMap(([part, names]) =>
    names.map((name): [keyof HostParts, string] => [part as keyof HostParts, name]),
  );
}
