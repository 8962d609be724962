import { examine } from '../../host';
import { type Command, text } from '../command';
import { printJson } from '../output';

const SIGNS = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' };

/** `garua doctor`: what this machine has and lacks. */
export const doctor: Command = {
  name: 'doctor',
  usage: '[--json]',
  summary: 'Say what this machine has and lacks for running containers.',
  options: {},
  positionals: { minimum: 0, maximum: 0 },
  async run({ options }) {
    const examination = await examine({ dataDirectory: text(options, 'data') });
    if (options.json) return printJson(examination);
    for (const { id, status, detail, why, fix } of examination.checks) {
      process.stdout.write(`${SIGNS[status]}  ${id}: ${detail}\n`);
      if (status !== 'ok') process.stdout.write(`      ${why}${fix ? `\n      To mend it: ${fix}` : ''}\n`);
    }
  },
};
