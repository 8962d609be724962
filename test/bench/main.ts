/** `npm run bench`: runs the suites, one after the other. */
import { spawnSync } from 'node:child_process';
import { chooseSuites, SUITES } from './suites';

const USAGE = `usage: npm run bench -- [suite...] [options] [case...]

Measures Garua beside its peers and checks the bars that the project set itself. Without a suite: all of them.

${SUITES.map(({ name, summary }) => `  ${name.padEnd(18)} ${summary}`).join('\n')}

  --quick            a part of the cases, shorter
  --list             show the cases

More options: npm run bench -- SUITE --help
`;

function main(args: string[]): number {
  const { suites, rest } = chooseSuites(args);
  if (args.length === 1 && args[0] === '--help') {
    process.stdout.write(USAGE);
    return 0;
  }
  // Ctrl+C goes to the suite as well, which cleans up and ends.
  process.on('SIGINT', () => {});
  let failed = 0;
  for (const { name, program } of suites) {
    if (suites.length > 1) process.stdout.write(`\n## ${name}\n\n`);
    const { status, signal } = spawnSync(process.execPath, [program, ...rest], { stdio: 'inherit' });
    if (signal) return 1;
    failed = Math.max(failed, status ?? 1);
  }
  return failed;
}

process.exitCode = main(process.argv.slice(2));
