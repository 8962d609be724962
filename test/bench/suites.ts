import { join } from 'node:path';

export interface Suite {
  name: string;
  summary: string;
  /** Its program; it takes `--quick`, `--list` and names of cases, prints a table, and exits 1 below a bar. */
  program: string;
}

/** What `npm run bench` runs, in this order, each in a process of its own. */
export const SUITES: Suite[] = [
  {
    name: 'pull',
    summary: 'garua pull beside docker, podman and containerd; needs root, about an hour',
    program: join(__dirname, 'pull.js'),
  },
  {
    name: 'containers',
    summary: 'starting and keeping containers beside podman; needs root, about three minutes',
    program: join(__dirname, 'containers/main.js'),
  },
  {
    name: 'fog',
    summary:
      'objects and messages between sites beside the bare line and js bitswap; needs root, about half an hour',
    program: join(__dirname, 'fog/main.js'),
  },
  {
    name: 'migration',
    summary: 'moving containers beside podman and runc alone; needs root and CRIU, about half an hour',
    program: join(__dirname, 'migration/main.js'),
  },
  {
    name: 'stream',
    summary: "windows beside Node-RED's own nodes, about five minutes",
    program: join(__dirname, 'stream/main.js'),
  },
  {
    name: 'placement',
    summary: 'garua place beside HiGHS, an hour or two',
    program: join(__dirname, 'placement/main.js'),
  },
  {
    name: 'operators',
    summary:
      'operators of flows between three sites, and beside wires; needs root and gcc, about ten minutes',
    program: join(__dirname, 'operators/main.js'),
  },
];

/**
 * Which suites the arguments mean, and what they are told. Suites are named first. Without one, a case or an
 * option of a single suite means pull; otherwise all are meant.
 */
export function chooseSuites(args: readonly string[]): { suites: Suite[]; rest: string[] } {
  const names = SUITES.map(({ name }) => name);
  const named = args.findIndex((argument) => !names.includes(argument));
  const count = named === -1 ? args.length : named;
  const rest = args.slice(count);
  const wanted = args.slice(0, count);
  if (count > 0) return { suites: SUITES.filter(({ name }) => wanted.includes(name)), rest };
  const forAll = rest.every((argument) => argument === '--quick' || argument === '--list');
  return { suites: forAll ? SUITES : SUITES.slice(0, 1), rest };
}
