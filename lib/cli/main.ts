#!/usr/bin/env node
import './node-version';
import './small-heap';
import './compile-cache';

import { parseArgs } from 'node:util';
import { toGaruaError, VERSION } from '../base';
import { COMMON_OPTIONS, type Command, type Invocation, UsageError } from './command';
import { allCommands, loadCommand, SECTIONS } from './commands';
import { printError } from './output';
import { wrap } from './wrap';

const EXIT = { success: 0, failure: 1, usage: 2 } as const;

async function main(words: string[]): Promise<number> {
  const [name, ...rest] = words;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    printOverview(name === undefined ? process.stderr : process.stdout);
    return name === undefined ? EXIT.usage : EXIT.success;
  }
  if (name === '--version') {
    process.stdout.write(`${VERSION}\n`);
    return EXIT.success;
  }
  const command = loadCommand(name);
  if (!command) {
    process.stderr.write(`garua: there is no command "${name}"; garua --help lists them\n`);
    return EXIT.usage;
  }
  try {
    const invocation = parse(command, rest);
    if (invocation.options.help) {
      printUsage(command, process.stdout);
      return EXIT.success;
    }
    await command.run(invocation);
    return EXIT.success;
  } catch (error) {
    if (error instanceof UsageError) {
      process.stderr.write(`garua ${command.name}: ${error.message}\n`);
      printUsage(command, process.stderr);
      return EXIT.usage;
    }
    printError(toGaruaError(error, `garua ${command.name}`));
    return EXIT.failure;
  }
}

function parse(command: Command, words: string[]): Invocation {
  const end = words.indexOf('--');
  const [own, rest] = end < 0 ? [words, []] : [words.slice(0, end), words.slice(end + 1)];
  const options = { ...COMMON_OPTIONS, ...command.options };
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({ args: own, options, allowPositionals: true, strict: true });
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
  const { minimum, maximum } = command.positionals;
  const count = parsed.positionals.length;
  if (!parsed.values.help) {
    if (count < minimum) throw new UsageError('something is missing');
    if (count > maximum) throw new UsageError(`"${parsed.positionals[maximum]}" is one word too many`);
    if (end >= 0 && !command.takesRest) throw new UsageError('nothing may stand after --');
  }
  for (const name of ['data', 'socket'] as const) {
    if (parsed.values[name] === '') throw new UsageError(`--${name} is empty`);
  }
  return { options: parsed.values, positionals: parsed.positionals, rest, signal: interruption() };
}

/** Fires at the first SIGINT or SIGTERM; the second ends the process at once. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => controller.abort(new Error(signal)));
  }
  return controller.signal;
}

function printOverview(stream: NodeJS.WriteStream): void {
  const commands = allCommands();
  const width = Math.max(...commands.map((command) => command.name.length));
  const lines = commands.map(({ name, summary }) => {
    const title = SECTIONS[name];
    return `${title ? `\n${title}\n` : ''}  ${name.padEnd(width)}  ${wrap(summary, width + 4)}\n`;
  });
  stream.write(
    `garua ${VERSION}: fog computing on small machines\n\nUsage: garua COMMAND ...\n${lines.join('')}`,
  );
  stream.write(
    '\ngarua COMMAND --help says more. Every command takes --data DIR, --socket PATH and --json.\n',
  );
}

function printUsage(command: Command, stream: NodeJS.WriteStream): void {
  stream.write(`Usage: garua ${command.name} ${command.usage}\n\n${wrap(command.summary, 0)}\n`);
}

// A reader that has seen enough (head) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(EXIT.success);
  throw error;
});

main(process.argv.slice(2)).then(
  // Idle connections and workers must not keep a finished command alive.
  (status) => process.exit(status),
  (error) => {
    printError(toGaruaError(error, 'garua'));
    process.exit(EXIT.failure);
  },
);
