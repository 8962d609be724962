import { once } from 'node:events';
import { openHost } from '../../control';
import { type Command, text, texts } from '../command';

/** `garua host`: the daemon. It owns the data directory, serves its socket, and cares for the containers. */
export const host: Command = {
  name: 'host',
  usage: '[--site S] [--name N] [--listen MULTIADDR] [--join MULTIADDR]...',
  summary: 'Stay and care for the containers: restart policies, probes, the control socket.',
  options: {
    name: { type: 'string' },
    site: { type: 'string' },
    listen: { type: 'string', multiple: true },
    join: { type: 'string', multiple: true },
  },
  positionals: { minimum: 0, maximum: 0 },
  async run({ options, signal }) {
    const opened = await openHost({
      dataDirectory: text(options, 'data'),
      name: text(options, 'name'),
      site: text(options, 'site'),
      mesh: { listen: texts(options, 'listen'), join: texts(options, 'join') },
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
