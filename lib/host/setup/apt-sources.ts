import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One archive that a machine installs from (sources.list(5)). */
export interface AptSource {
  uri: string;
  suites: string[];
  components: string[];
  /** Key file or fingerprint; absent: all keys that apt trusts. */
  signedBy?: string;
}

/** All enabled binary sources of a machine, in apt's order. */
export function readAptSources(folder = '/etc/apt'): AptSource[] {
  const parts = join(folder, 'sources.list.d');
  const files = [join(folder, 'sources.list'), ...namesIn(parts).map((name) => join(parts, name))];
  return files.flatMap((file) => {
    if (file.endsWith('.sources')) return parseStanzas(readIfThere(file));
    return file.endsWith('.list') ? parseLines(readIfThere(file)) : [];
  });
}

/** The one-line format: `deb [signed-by=KEY] URI SUITE COMPONENT...` */
export function parseLines(text: string): AptSource[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)((?:\s+[^\s#]+)*)/.exec(line);
    if (!match) return [];
    const [, options = '', uri = '', suite = '', components = ''] = match;
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1];
    return [source(uri, [suite], words(components), signedBy)];
  });
}

/** The deb822 format: stanzas of `Field: value`, a value going on in lines that start with a space. */
export function parseStanzas(text: string): AptSource[] {
  const withoutComments = text.split('\n').filter((line) => !line.startsWith('#'));
  return withoutComments
    .join('\n')
    .split(/\n\s*\n/)
    .flatMap((stanza) => {
      const fields = new Map<string, string>();
      for (const field of stanza.split(/\n(?!\s)/)) {
        const colon = field.indexOf(':');
        if (colon > 0) fields.set(field.slice(0, colon).trim().toLowerCase(), field.slice(colon + 1).trim());
      }
      const disabled = /^(?:no|false|off|0|without|disable)$/i.test(fields.get('enabled') ?? '');
      if (disabled || !words(fields.get('types') ?? '').includes('deb')) return [];
      return words(fields.get('uris') ?? '').map((uri) =>
        source(
          uri,
          words(fields.get('suites') ?? ''),
          words(fields.get('components') ?? ''),
          fields.get('signed-by'),
        ),
      );
    });
}

/**
 * The archive that holds Debian itself, for this machine's mirror, or undefined. Security, backports and
 * other publishers' archives do not hold Debian's unstable suite.
 */
export function debianMirror(sources: AptSource[]): AptSource | undefined {
  return sources.find(
    ({ uri, suites, components }) =>
      /\/debian\/?$/.test(uri) &&
      components.includes('main') &&
      suites.some((suite) => /^[a-z]+$/.test(suite)),
  );
}

function source(uri: string, suites: string[], components: string[], signedBy?: string): AptSource {
  return { uri, suites, components, ...(signedBy ? { signedBy } : {}) };
}

function words(text: string): string[] {
  return text.split(/\s+/).filter(Boolean);
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
