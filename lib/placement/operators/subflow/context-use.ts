import { SubflowUnsupportedError } from './errors';
import type { Scopes } from './scope';

const IN_CODE = /\bflow\s*\.\s*(get|set|keys)\b|\bcontext\s*(\(\s*\))?\s*\.\s*flow\b/;
const IN_TEMPLATE = /\{\{[{&]?\s*flow[.[]/;
const IN_EXPRESSION = /\$flowContext\s*\(/;
const PARENT_IN_CODE = /\bflow\s*\.\s*(get|set)\s*\(\s*\[?\s*["'`](#:\([^)]*\)::)?\$parent\./;

/**
 * Each instance of a subflow has a flow context of its own. In the expansion there is one, the tab's: right
 * for one instance, wrong when several would share it.
 * @throws {SubflowUnsupportedError}
 */
export function checkContextUse(scopes: Scopes): void {
  const users = new Set<string>();
  for (const { definition, path, members } of scopes) {
    const name = definition.name ?? definition.id;
    for (const { original } of members.values()) {
      if (original.type === 'group') continue;
      const use = contextUse(original);
      if (use === 'parent') {
        throw new SubflowUnsupportedError(
          `subflow ${name} uses the context of the flow around it (node ${original.name || original.id})`,
          'Pass the value in with the message, or in an environment variable.',
        );
      }
      if (use === 'own') users.add(path);
    }
  }
  if (users.size < 2) return;
  const names = scopes.filter(({ path }) => users.has(path)).map(({ definition }) => definition.name);
  throw new SubflowUnsupportedError(
    `the subflows ${names.join(', ')} are nested, and each keeps a flow context of its own`,
    'Let one of them use flow context; the others can use node context.',
  );
}

function contextUse(value: unknown): 'own' | 'parent' | undefined {
  if (typeof value === 'string') {
    if (PARENT_IN_CODE.test(value)) return 'parent';
    return IN_CODE.test(value) || IN_TEMPLATE.test(value) || IN_EXPRESSION.test(value) ? 'own' : undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  let found: 'own' | undefined;
  const entries = Object.entries(value);
  // Properties with a choice of types keep the chosen one beside the value: "pt", "tot", "payloadType".
  if (entries.some(([key, each]) => each === 'flow' && /t(ype)?$/i.test(key))) {
    if (entries.some(([, each]) => typeof each === 'string' && /^(#:\(.*\)::)?\$parent\./.test(each))) {
      return 'parent';
    }
    found = 'own';
  }
  for (const [, each] of entries) {
    const use = contextUse(each);
    if (use === 'parent') return use;
    found ??= use;
  }
  return found;
}
