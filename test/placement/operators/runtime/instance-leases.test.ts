import assert from 'node:assert/strict';
import { openDatabase } from '../../../../lib/base';
import { type InstanceSpec, InstanceTable } from '../../../../lib/placement';
import { InstanceLeases } from '../../../../lib/placement/operators/runtime/instance-leases';

const specOf = (owner: string, number: number, more: Partial<InstanceSpec> = {}): InstanceSpec => ({
  ...{ instance: `${owner}/flow/o/${number}`, owner, operator: 'flow/o', number, slot: 0, name: 'o' },
  body: { kind: 'subflow', nodes: [], configs: [], types: [] },
  ...{ cpu: 0.5, memory: 100, targets: [] },
  ...more,
});

describe('what a host lends to operators', () => {
  let table: InstanceTable;
  let leases: InstanceLeases;
  const run = (spec: InstanceSpec) => {
    leases.take(spec);
    table.add(spec);
  };
  const end = (spec: InstanceSpec) => {
    table.remove(spec.instance);
    leases.giveBack(spec);
  };
  const free = () => leases.free;

  beforeEach(() => {
    table = new InstanceTable(openDatabase(':memory:'));
    leases = new InstanceLeases(table, { cpu: 1, memory: 250 });
  });

  it('is never lent twice, whichever owners ask', () => {
    run(specOf('one', 1));
    run(specOf('two', 1));
    assert.deepEqual(free(), { cpu: 0, memory: 50 });
    assert.throws(() => run(specOf('two', 2, { slot: 1 })), { code: 'ERR_LEASE_REFUSED' });
    end(specOf('one', 1));
    run(specOf('two', 2, { slot: 1 }));
    assert.equal(free().cpu, 0);
  });

  it('is shared by an instance and the one that replaces it', () => {
    run(specOf('one', 1));
    run(specOf('two', 1));
    run(specOf('one', 2, { cpu: 0.25 }));
    assert.deepEqual(free(), { cpu: 0, memory: 50 });
    end(specOf('one', 1));
    assert.deepEqual(free(), { cpu: 0.25, memory: 50 });
    assert.throws(() => run(specOf('one', 3, { cpu: 0.8 })), { code: 'ERR_LEASE_REFUSED' });
    assert.deepEqual(free(), { cpu: 0.25, memory: 50 });
    end(specOf('one', 2));
    assert.deepEqual(free(), { cpu: 0.5, memory: 150 });
  });

  it('is what runs here after a restart, also where the machine has become smaller', () => {
    run(specOf('one', 1));
    run(specOf('two', 1));
    assert.deepEqual(new InstanceLeases(table, { cpu: 1, memory: 250 }).free, { cpu: 0, memory: 50 });
    const smaller = new InstanceLeases(table, { cpu: 0.6, memory: 250 });
    assert.ok(smaller.free.cpu >= 0 && smaller.free.cpu < 0.2);
    assert.throws(() => smaller.take(specOf('three', 1)), { code: 'ERR_LEASE_REFUSED' });
  });
});
