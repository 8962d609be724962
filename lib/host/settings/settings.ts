import { resolve } from 'node:path';
import { type Database, InvalidArgumentError, migrate } from '../../base';
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
}

/**
 * The settings of a data directory, after what was given now was written down.
 *
 * @throws {InvalidArgumentError}
 */
export function settingsOf(database: Database, given: HostSettings): HostSettings {
  const { name, site, nas, quota } = given;
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
  migrate(database, 'host-settings', SCHEMA);
  const remember = remembering(database);
  return {
    // The label of a fog-host may be any text: it names this process's host, but none of a fog.
    name: name === undefined || isHostName(name) ? remember('name', name) : name,
    site: remember('site', site),
    // The next process may start in another folder.
    nas: remember('nas', nas && resolve(nas)) || undefined,
    quota: Number(remember('quota', quota?.toString()) ?? 0) || undefined,
  };
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
