/** Node-RED for tests: in this process for the nodes, as a process of its own for the editor. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeInitializer } from 'node-red';
import type { Translate } from '../../nodes/deploy-container/status-line';

/** The checkout; built tests lie in dist/test/support. */
export const PROJECT = join(__dirname, '../../..');

/** `node-red` (the newest) or `node-red-4`, the oldest that is supported. */
export const NODE_RED = process.env.GARUA_NODE_RED ?? 'node-red';

type Catalogue = Record<string, Record<string, Record<string, string>>>;

function catalogue(node: string): Catalogue {
  const path = join(PROJECT, 'nodes', node, 'locales/en-US', `${node}.json`);
  return JSON.parse(readFileSync(path, 'utf8'));
}

/** Translates from a node's own catalogue; unknown keys come back, as in Node-RED. */
export function translatorOf(node: string): Translate {
  const texts = catalogue(node);
  return (key, values = {}) => {
    const text = key.split('.').reduce<unknown>((level, part) => (level as Catalogue)?.[part], texts);
    if (typeof text !== 'string') return key;
    return text.replace(/__(\w+)__/g, (_all, name) => String(values[name]));
  };
}
translatorOf.catalogue = catalogue;

/** The test helper's RED does not translate; this makes it. */
export function withTexts(node: string, initialize: NodeInitializer): NodeInitializer {
  return (RED) => {
    const translating = Object.create(RED, { _: { value: translatorOf(node) } });
    return initialize(translating);
  };
}
