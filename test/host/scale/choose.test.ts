import assert from 'node:assert/strict';
import { type Candidacy, type Candidate, nextHost, nextToGo } from '../../../lib/host/scale/choose';

const host = (peerId: string, site: string, freeMemory: number, freeCpus = 1): Candidate => ({
  ...{ peerId, site, freeMemory, freeCpus },
});

describe('where instances of a service go', () => {
  const choose = (hosts: Candidate[], taken: string[] = []) => nextHost(hosts, taken)?.peerId;

  it('takes the site with the fewest instances, whatever is free elsewhere', () => {
    const hosts = [host('a', 'home', 8), host('b', 'shop', 1), host('c', 'shop', 2)];
    assert.equal(choose(hosts, ['home']), 'c');
    assert.equal(choose(hosts, ['home', 'shop', 'shop']), 'a');
  });

  it('takes the site with the most memory free in all, there the host with the most, then the idle cores', () => {
    const hosts = [host('a', 'home', 8), host('b', 'shop', 5), host('c', 'shop', 4)];
    assert.equal(choose(hosts), 'b');
    assert.equal(choose([host('a', 'home', 8, 1), host('b', 'home', 8, 3)]), 'b');
  });

  it('answers the same for the same, and nothing without hosts', () => {
    const hosts = [host('b', 'shop', 4), host('a', 'shop', 4), host('c', 'home', 8)];
    assert.equal(choose(hosts), choose(hosts.toReversed()));
    assert.equal(choose([]), undefined);
  });
});

describe('which instance of a service goes', () => {
  const instance = (peerId: string, site: string, more: Partial<Candidacy> = {}): Candidacy => ({
    ...host(peerId, site, 4),
    ...{ ready: true, recent: 10, here: false },
    ...more,
  });
  const choose = (instances: Candidacy[]) => nextToGo(instances)?.peerId;

  it('takes one that is not ready first', () => {
    const instances = [instance('a', 'home'), instance('b', 'home'), instance('c', 'shop', { ready: false })];
    assert.equal(choose(instances), 'c');
  });

  it('takes from the site with the most, there the one farthest from the demand, then of the fullest host', () => {
    const others = [instance('a', 'shop', { recent: 0 }), instance('b', 'home')];
    assert.equal(choose([...others, instance('c', 'home', { recent: 9 })]), 'c');
    assert.equal(choose([...others, instance('c', 'home', { freeMemory: 3 })]), 'c');
  });

  it('keeps the one of the host that was asked to the last', () => {
    const own = instance('a', 'home', { here: true, ready: false, recent: 0 });
    assert.equal(choose([own, instance('b', 'shop')]), 'b');
    assert.equal(choose([own]), 'a');
    assert.equal(choose([]), undefined);
  });
});
