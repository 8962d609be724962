import { once } from 'node:events';
import { openHost } from '../../control';
import { type Command, text } from '../command';

/** `garua host`: the daemon. It owns the data directory, serves its socket, and cares for the containers. */
export const host: Command = {
  name: 'host',
  usage: '[--name N]',
  summary: 'Stay and care for the containers: restart policies, probes, the control socket.',
  options: { name: { type: 'string' } },
  positionals: { minimum: 0, maximum: 0 },
  async run({ options, signal }) {
    const opened = await openHost({
      dataDirectory: text(options, 'data'),
      name: text(options, 'name'),
      supervise: true,
    });
    try {
      const { name, dataDirectory, pid } = await opened.info();
      if (pid !== process.pid) say(`process ${pid} serves ${dataDirectory}; waiting to take over from it`);
      else say(`host ${name} serves ${dataDirectory}`);
      if (!signal.aborted) await once(signal, 'abort');
      say('ending; containers go on running');
    } finally {
      await opened.close();
    }
  },
};

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
