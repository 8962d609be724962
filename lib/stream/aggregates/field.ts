export type FieldReader = (value: unknown) => unknown;

const itself: FieldReader = (value) => value;

/** Reads a dotted path inside a value; undefined where it ends early. */
export function fieldReader(path: string | undefined): FieldReader {
  if (path === undefined || path === '') return itself;
  const names = path.split('.');
  if (names.length === 1) return (value) => own(value, path);
  return (value) => {
    let inner = value;
    for (const name of names) inner = own(inner, name);
    return inner;
  };
}

function own(value: unknown, name: string): unknown {
  if (value === null || typeof value !== 'object') return undefined;
  return Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
}
