import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Database, InvalidArgumentError, migrate, temporaryName } from '../../base';
import { isHostName } from '../../mesh';

const SCHEMA = ['CREATE TABLE host_setting (name TEXT PRIMARY KEY, value TEXT NOT NULL)'];

/** What a host is told once. What is not given stays as it was given last. */
export interface HostSettings {
  /** What the host is called. Default: the machine's host name. */
  name?: string | undefined;
  /** The site that it is at. Default: one of its own, named like the host. */
  site?: string | undefined;
  /** The folder that all hosts of the site share. Default, and again with `''`: one in the data directory. */
  nas?: string | undefined;
  /** Bytes that the site's objects may take. Default, and again with 0: no limit. */
  quota?: number | undefined;
  /** Where the editor of the Node-RED is that runs operators here, such as `http://127.0.0.1:1880/`; `''` for none. */
  nodeRed?: string | undefined;
  /** A file with an access token for it; `''` for none. */
  nodeRedTokenFile?: string | undefined;
}

/**
 * The settings of a data directory, after what was given now was written down.
 *
 * @param copy a file that keeps them too, for a host whose database is lost
 * @throws {InvalidArgumentError}
 */
export function settingsOf(database: Database, given: HostSettings, copy: string): HostSettings {
  const { name, site, nas, quota, nodeRed, nodeRedTokenFile } = given;
  if (quota !== undefined && !(Number.isSafeInteger(quota) && quota >= 0)) {
    throw new InvalidArgumentError(
      `a quota of ${quota} bytes is none`,
      'Give a whole number, or 0 for no limit.',
    );
  }
  if (site !== undefined && !isHostName(site)) {
    throw new InvalidArgumentError(
      `"${site}" cannot be the name of a site`,
      'Use letters, digits, dots, hyphens and underscores, at most 63 of them.',
    );
  }
  if (nodeRed && !(URL.canParse(nodeRed) && /^https?:$/.test(new URL(nodeRed).protocol))) {
    throw new InvalidArgumentError(
      `"${nodeRed}" is not the address of a Node-RED`,
      'Give the address of its editor, such as http://127.0.0.1:1880/',
    );
  }
  migrate(database, 'host-settings', SCHEMA);
  restore(database, copy);
  const remember = remembering(database);
  const settings: HostSettings = {
    // The label of a fog-host may be any text: it names this process's host, but none of a fog.
    name: name === undefined || isHostName(name) ? remember('name', name) : name,
    site: remember('site', site),
    // The next process may start in another folder.
    nas: remember('nas', nas && resolve(nas)) || undefined,
    quota: Number(remember('quota', quota?.toString()) ?? 0) || undefined,
    nodeRed: remember('nodeRed', nodeRed) || undefined,
    nodeRedTokenFile:
      remember('nodeRedTokenFile', nodeRedTokenFile && resolve(nodeRedTokenFile)) || undefined,
  };
  keep(database, copy);
  return settings;
}

type Values = Record<string, string>;

function valuesIn(database: Database): Values {
  const rows = database.prepare('SELECT name, value FROM host_setting ORDER BY name').raw().all();
  return Object.fromEntries(rows as [string, string][]);
}

function valuesAt(copy: string): Values {
  try {
    const values = JSON.parse(readFileSync(copy, 'utf8')) as Values;
    return Object.fromEntries(Object.entries(values).filter(([, value]) => typeof value === 'string'));
  } catch {
    return {};
  }
}

/** Takes over what the copy says into a database that says nothing. */
function restore(database: Database, copy: string): void {
  if (Object.keys(valuesIn(database)).length > 0) return;
  const write = database.prepare('INSERT INTO host_setting VALUES (?, ?)');
  for (const [name, value] of Object.entries(valuesAt(copy))) write.run(name, value);
}

function keep(database: Database, copy: string): void {
  const values = valuesIn(database);
  if (JSON.stringify(values) === JSON.stringify(valuesAt(copy))) return;
  const temporary = temporaryName(copy);
  try {
    writeFileSync(temporary, JSON.stringify(values), { mode: 0o600, flush: true });
    renameSync(temporary, copy);
  } catch {
    // On a full disk the next start does it.
  }
}

/** Writes a value down if one is given, and answers what is known then. */
function remembering(database: Database): (name: string, given: string | undefined) => string | undefined {
  const read = database.prepare('SELECT value FROM host_setting WHERE name = ?').pluck();
  const write = database.prepare('INSERT OR REPLACE INTO host_setting VALUES (?, ?)');
  return (name, given) => {
    const known = read.get(name) as string | undefined;
    if (given === undefined || given === known) return known;
    write.run(name, given);
    return given;
  };
}
