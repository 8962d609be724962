import { createHash } from 'node:crypto';
import type { HostUse } from '../fog-host/use-host';

/** What a node has made, remembered over redeploys of the flow for as long as Node-RED runs. */
export interface Belongings {
  hostKey: string;
  options: HostUse['options'];
  /** The container of the node's own settings. */
  name: string;
  /** All containers it has deployed, those named by messages too. */
  names: Set<string>;
  /** Those of them that have instances on other hosts. */
  scaled: Set<string>;
  /** Time of the last log line sent, by container. */
  logged: Map<string, string>;
}

/** Remembers by the node's place in the flow which containers are whose. */
export class Ownership {
  readonly #nodes = new Map<string, Belongings>();

  get(place: string): Belongings | undefined {
    return this.#nodes.get(place);
  }

  set(place: string, belongings: Belongings): void {
    this.#nodes.set(place, belongings);
  }

  delete(place: string): void {
    this.#nodes.delete(place);
  }

  /** Whether another node lays claim to the container too: then it must not be removed. */
  isShared(place: string, hostKey: string, name: string): boolean {
    return [...this.#nodes].some(
      ([other, belongings]) =>
        other !== place &&
        belongings.hostKey === hostKey &&
        (belongings.name === name || belongings.names.has(name)),
    );
  }
}

export const ownership = new Ownership();

/** What stays the same for a node, also inside a subflow, where ids are made up anew at each start. */
export function placeOf(node: { id: string; _alias?: string; _path?: string }): string {
  return node._alias ? (node._path ?? node._alias) : node.id;
}

/** A container name for a node without one: stable, and not the same for two nodes with one image. */
export function fallbackName(image: string, place: string): string {
  const repository = image.replace(/@.*$/, '').replace(/\/+$/, '').split('/').at(-1)!;
  const readable = repository
    .replace(/:.*$/, '')
    .replace(/[^A-Za-z0-9_.-]/g, '')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, 40);
  const unique = createHash('sha256').update(place).digest('hex').slice(0, 6);
  return `${readable || 'container'}-${unique}`;
}
