import { type Command, text, withHost } from '../command';
import { formatAge, printJson, printTable } from '../output';

/** `garua volumes`: the named volumes of this host. */
export const volumes: Command = {
  name: 'volumes',
  usage: '[--remove NAME] [--json]',
  summary: 'List the named volumes; --remove deletes one and its files for good.',
  options: { remove: { type: 'string' } },
  positionals: { minimum: 0, maximum: 0 },
  run: (invocation) =>
    withHost(invocation, async (host) => {
      const name = text(invocation.options, 'remove');
      if (name !== undefined) {
        await host.removeVolume(name);
        if (invocation.options.json) printJson({ name, removed: true });
        else process.stdout.write(`${name} removed\n`);
        return;
      }
      const all = await host.volumes();
      if (invocation.options.json) return printJson(all);
      printTable(
        ['NAME', 'USED BY', 'CREATED', 'PATH'],
        all.map(({ name, path, usedBy, createdAt }) => [
          name,
          usedBy.join(' ') || '-',
          formatAge(Date.parse(createdAt)),
          path,
        ]),
      );
    }),
};
