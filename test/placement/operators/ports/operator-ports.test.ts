import { deepEqual, equal, rejects } from 'node:assert/strict';
import { OperatorPorts, type PortCommand } from '../../../../lib/placement';

describe('the ports of an operator’s instances', () => {
  /** A node that answers with what it was asked, until it is stopped. */
  function node(ports: OperatorPorts, instance: string, answers = true) {
    const stop = new AbortController();
    const asked: PortCommand[] = [];
    const done = (async () => {
      for await (const command of ports.attach(instance, stop.signal)) {
        asked.push(command);
        if (answers) ports.answer(instance, command.id, { state: command.type });
      }
    })();
    return { asked, done, stop: () => stop.abort() };
  }

  it('bring commands to the node of the instance, and its answers back', async () => {
    const ports = new OperatorPorts();
    const attached: string[] = [];
    const deaf = ports.onAttached((instance) => attached.push(instance));
    const one = node(ports, 'one');
    const two = node(ports, 'two');
    deepEqual(await ports.command('one', { type: 'measure' }), { state: 'measure' });
    deepEqual(await ports.command('two', { type: 'pause', partitions: ['p'] }), { state: 'pause' });
    deepEqual([one.asked.length, two.asked.length, attached.length], [1, 1, 2]);
    deaf();
    one.stop();
    await one.done;
    equal(ports.isAttached('one'), false);
    equal(ports.isAttached('two'), true);
    two.stop();
    await two.done;
  });

  it('pass the node’s errors on', async () => {
    const ports = new OperatorPorts();
    const silent = node(ports, 'x', false);
    const asking = ports.command('x', { type: 'measure' });
    const error = { code: 'ERR_DISK_FULL', message: 'full', hint: 'h' };
    ports.answer('x', 1, { error });
    await rejects(asking, { code: 'ERR_DISK_FULL' });
    silent.stop();
    await silent.done;
  });

  it('wait for no node that is not there, goes away, is replaced, or takes too long', async () => {
    const ports = new OperatorPorts();
    await rejects(ports.command('x', { type: 'measure' }), { code: 'ERR_OPERATOR_PORT_UNKNOWN' });
    const first = node(ports, 'x', false);
    const asked = rejects(ports.command('x', { type: 'measure' }), { code: 'ERR_OPERATOR_PORT_GONE' });
    const second = node(ports, 'x', false);
    await asked;
    await first.done;
    equal(ports.isAttached('x'), true);
    const limit = new AbortController();
    const slow = ports.command('x', { type: 'measure' }, { signal: limit.signal });
    limit.abort();
    await rejects(slow, { code: 'ERR_ABORTED' });
    const left = rejects(ports.command('x', { type: 'measure' }), { code: 'ERR_OPERATOR_PORT_GONE' });
    second.stop();
    await left;
    await second.done;
  });
});
