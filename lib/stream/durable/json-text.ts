/** JSON text; where a value is what JSON cannot hold (a BigInt, a circle), null is in its place. */
export function jsonText(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    return JSON.stringify(value, onlyJson());
  }
}

function onlyJson(): (this: unknown, name: string, value: unknown) => unknown {
  /** The objects around the one that is being written. */
  const around: unknown[] = [];
  return function (_name, value) {
    if (typeof value === 'bigint') return null;
    if (value === null || typeof value !== 'object') return value;
    while (around.length > 0 && around[around.length - 1] !== this) around.pop();
    if (around.includes(value)) return null;
    around.push(value);
    return value;
  };
}
