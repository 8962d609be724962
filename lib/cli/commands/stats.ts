import { formatSize } from '../../base';
import { type Command, longCall, withHost } from '../command';
import { printJson, printTable } from '../output';

/** `garua stats`: what the running containers use. */
export const stats: Command = {
  name: 'stats',
  usage: '[--json]',
  summary: 'Say what each running container uses: cores, memory, processes, disk, network, log.',
  options: {},
  positionals: { minimum: 0, maximum: 0 },
  run: (invocation) =>
    withHost(invocation, async (host) => {
      const all = await host.stats(longCall(invocation));
      if (invocation.options.json) return printJson(all);
      printTable(
        ['NAME', 'CORES', 'MEMORY', 'SWAP', 'PROCESSES', 'READ', 'WRITTEN', 'RECEIVED', 'SENT', 'LOG'],
        all.map((one) => [
          one.name,
          one.cpus === null ? '-' : one.cpus.toFixed(2),
          ofLimit(size(one.memory), one.memoryLimit === null ? null : size(one.memoryLimit)),
          size(one.swap),
          ofLimit(
            one.processes === null ? '-' : String(one.processes),
            one.processLimit === null ? null : String(one.processLimit),
          ),
          ...[one.readBytes, one.writtenBytes, one.receivedBytes, one.sentBytes, one.logBytes].map(size),
        ]),
      );
    }),
};

function size(bytes: number | null): string {
  return bytes === null ? '-' : formatSize(bytes);
}

function ofLimit(value: string, limit: string | null): string {
  return limit === null ? value : `${value} of ${limit}`;
}
