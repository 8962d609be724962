import { PlacementModelError } from '../errors';
import type {
  PlacementLink,
  PlacementModel,
  PlacementOperator,
  PlacementSite,
  PlacementStream,
  PlacementWeights,
} from '../placement';

/**
 * Checks a model that came from outside and copies what the contract knows of it.
 * @throws {PlacementModelError} naming the field, as in `operators[3].cpu`.
 */
export function parsePlacementModel(document: unknown): PlacementModel {
  const root = object(document, 'the model');
  const sites = list(root, 'sites', readSite);
  const siteIds = uniqueIds(sites, 'sites');
  const operators = list(root, 'operators', readOperator(siteIds));
  const operatorIds = uniqueIds(operators, 'operators');
  const links = list(root, 'links', readLink(siteIds));
  refuseDoubleLinks(links);
  const streams = list(root, 'streams', readStream(operatorIds));
  return {
    sites,
    links,
    operators,
    streams,
    weights: readWeights(root.weights),
    current: readCurrent(root.current),
    moveCost: optionalAmount(root, 'moveCost', ''),
  };
}

/**
 * The same from JSON text.
 * @throws {PlacementModelError} also when it is not JSON.
 */
export function parsePlacementText(text: string): PlacementModel {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new PlacementModelError(`the model is not JSON: ${(cause as Error).message}`, undefined, { cause });
  }
  return parsePlacementModel(document);
}

type Fields = Record<string, unknown>;

function readSite(fields: Fields, path: string): PlacementSite {
  return {
    id: text(fields, 'id', path),
    cpu: amount(fields, 'cpu', path),
    memory: amount(fields, 'memory', path),
    cost: optionalAmount(fields, 'cost', path),
  };
}

function readLink(sites: Set<string>) {
  return (fields: Fields, path: string): PlacementLink => {
    const from = reference(fields.from, `${path}.from`, sites, 'site');
    const to = reference(fields.to, `${path}.to`, sites, 'site');
    if (from === to) throw new PlacementModelError(`${path}: a link from ${quote(from)} to itself`);
    return {
      from,
      to,
      latencyMs: amount(fields, 'latencyMs', path),
      bandwidthMbps: optionalAmount(fields, 'bandwidthMbps', path),
    };
  };
}

function readOperator(sites: Set<string>) {
  return (fields: Fields, path: string): PlacementOperator => {
    const { pin, allowed } = fields;
    if (isGiven(allowed) && !Array.isArray(allowed)) {
      throw new PlacementModelError(`${path}.allowed must be a list of site ids`);
    }
    return {
      id: text(fields, 'id', path),
      cpu: amount(fields, 'cpu', path),
      memory: amount(fields, 'memory', path),
      pin: isGiven(pin) ? reference(pin, `${path}.pin`, sites, 'site') : undefined,
      allowed: isGiven(allowed)
        ? allowed.map((id, index) => reference(id, `${path}.allowed[${index}]`, sites, 'site'))
        : undefined,
    };
  };
}

function readStream(operators: Set<string>) {
  return (fields: Fields, path: string): PlacementStream => ({
    from: reference(fields.from, `${path}.from`, operators, 'operator'),
    to: reference(fields.to, `${path}.to`, operators, 'operator'),
    rate: amount(fields, 'rate', path),
    bytes: amount(fields, 'bytes', path),
  });
}

function readWeights(value: unknown): PlacementWeights {
  const fields = object(value, 'weights');
  return {
    latency: amount(fields, 'latency', 'weights'),
    traffic: amount(fields, 'traffic', 'weights'),
    resources: optionalAmount(fields, 'resources', 'weights'),
  };
}

/** A site or operator that has gone meanwhile may still stand there. */
function readCurrent(value: unknown): Record<string, string> | undefined {
  if (!isGiven(value)) return undefined;
  const fields = object(value, 'current');
  const entries = Object.entries(fields).map(([operator, site]): [string, string] => {
    if (typeof site !== 'string') {
      throw new PlacementModelError(`current[${quote(operator)}] must be a site id`);
    }
    return [operator, site];
  });
  return Object.fromEntries(entries);
}

function refuseDoubleLinks(links: PlacementLink[]): void {
  const seen = new Map<string, number>();
  links.forEach(({ from, to }, index) => {
    const key = JSON.stringify([from, to]);
    const first = seen.get(key);
    if (first !== undefined) {
      throw new PlacementModelError(
        `links[${index}] goes from ${quote(from)} to ${quote(to)} as links[${first}] does`,
        'Give one link for each direction between two sites.',
      );
    }
    seen.set(key, index);
  });
}

function uniqueIds(items: { id: string }[], path: string): Set<string> {
  const ids = new Set<string>();
  items.forEach(({ id }, index) => {
    if (ids.has(id)) throw new PlacementModelError(`${path}[${index}].id: ${quote(id)} is taken already`);
    ids.add(id);
  });
  return ids;
}

function list<T>(root: Fields, name: string, read: (fields: Fields, path: string) => T): T[] {
  const value = root[name];
  if (!Array.isArray(value)) throw new PlacementModelError(`${name} must be a list`);
  return value.map((item, index) => read(object(item, `${name}[${index}]`), `${name}[${index}]`));
}

function object(value: unknown, path: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new PlacementModelError(`${path} must be an object`);
  }
  return value as Fields;
}

function text(fields: Fields, name: string, path: string): string {
  const value = fields[name];
  if (typeof value !== 'string' || value === '') {
    throw new PlacementModelError(`${path}.${name} must be a string that is not empty`);
  }
  return value;
}

function amount(fields: Fields, name: string, path: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) {
    const where = path === '' ? name : `${path}.${name}`;
    throw new PlacementModelError(`${where} must be a number of at least 0`);
  }
  return value;
}

function optionalAmount(fields: Fields, name: string, path: string): number | undefined {
  return isGiven(fields[name]) ? amount(fields, name, path) : undefined;
}

function reference(value: unknown, path: string, known: Set<string>, kind: string): string {
  if (typeof value !== 'string') throw new PlacementModelError(`${path} must be the id of a ${kind}`);
  if (!known.has(value)) throw new PlacementModelError(`${path}: there is no ${kind} ${quote(value)}`);
  return value;
}

/** JSON has no undefined: some writers put null for what is absent. */
function isGiven<T>(value: T): value is Exclude<T, null | undefined> {
  return value !== undefined && value !== null;
}

function quote(id: string): string {
  return JSON.stringify(id);
}
