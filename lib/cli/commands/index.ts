import type { Command } from '../command';

/** All commands, in the order in which `garua --help` lists them. Each is a file here that exports its name. */
const NAMES = [
  'pull',
  'images',
  'prune',
  'run',
  'ps',
  'logs',
  'exec',
  'stats',
  'stop',
  'start',
  'restart',
  'rm',
  'checkpoint',
  'restore',
  'volumes',
  'doctor',
  'setup',
  'uninstall',
  'host',
  'fog',
  'sites',
  'migrate',
  'forwards',
  'scale',
  'outlook',
  'services',
  'messages',
  'put',
  'get',
  'where',
  'pin',
  'unpin',
  'scrub',
  'gc',
  'window',
  'place',
  'operators',
];

/** Where `garua --help` begins a section, and its title. */
export const SECTIONS: Record<string, string> = {
  pull: 'Images',
  run: 'Containers',
  doctor: 'This machine',
  fog: 'The fog',
  put: 'Objects of the fog',
  window: 'Streams and placement',
};

/** Loads one command alone: what the others need takes longer to load than most take to run. */
export function loadCommand(name: string): Command | undefined {
  return NAMES.includes(name) ? (require(`./${name}`) as Record<string, Command>)[name] : undefined;
}

/** Loads all of them. */
export function allCommands(): Command[] {
  return NAMES.map((name) => loadCommand(name)!);
}
