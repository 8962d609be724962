import type { Host } from '../../host';
import type { QueueStatus } from '../../mesh';
import { type Command, type Invocation, text, UsageError, withHost } from '../command';
import { formatAge, printJson, printTable } from '../output';

/** `garua messages`: what waits on this host for subscribers, here and on other hosts. */
export const messages: Command = {
  name: 'messages',
  usage: '[forget [--topic T] [--subscriber S] [--to HOST]] [--json]',
  summary: 'List the queues of messages; forget drops queues and what waits in them.',
  options: { topic: { type: 'string' }, subscriber: { type: 'string' }, to: { type: 'string' } },
  positionals: { minimum: 0, maximum: 1 },
  async run(invocation) {
    const [action] = invocation.positionals;
    if (action !== undefined && action !== 'forget') {
      throw new UsageError(`garua messages does not know "${action}"`);
    }
    const { topic, subscriber, to } = choice(invocation);
    const chosen = topic ?? subscriber ?? to;
    if (action && chosen === undefined) {
      throw new UsageError('messages forget needs --topic, --subscriber or --to');
    }
    if (!action && chosen !== undefined) throw new UsageError('only messages forget takes a choice');
    await withHost(invocation, (host) => (action ? forget(host, invocation) : list(host, invocation)));
  },
};

async function list(host: Host, { options }: Invocation): Promise<void> {
  const queues = await host.queues();
  if (options.json) return printJson(queues);
  printTable(
    ['TOPIC', 'FROM', 'TO', 'SUBSCRIBER', 'WAITING', 'DROPPED', 'OLDEST'],
    queues.map((queue) => [
      queue.topic,
      queue.from,
      queue.to,
      queue.subscriber,
      String(queue.waiting),
      String(queue.dropped),
      queue.oldest === null ? '-' : formatAge(Date.parse(queue.oldest)),
    ]),
  );
}

async function forget(host: Host, invocation: Invocation): Promise<void> {
  const forgotten = await host.forgetQueue(choice(invocation));
  if (invocation.options.json) return printJson(forgotten);
  if (forgotten.length === 0) process.stdout.write('no queue is like that\n');
  for (const queue of forgotten) process.stdout.write(`${describe(queue)}\n`);
}

const describe = ({ topic, subscriber, to, waiting }: QueueStatus) =>
  `${topic} for ${subscriber} on ${to} forgotten, ${waiting} messages dropped`;

const choice = ({ options }: Invocation) => ({
  topic: text(options, 'topic'),
  subscriber: text(options, 'subscriber'),
  to: text(options, 'to'),
});
