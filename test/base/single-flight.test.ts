import assert from 'node:assert/strict';
import { SingleFlight } from '../../lib/base';

describe('SingleFlight', () => {
  it('does the work once for all who ask meanwhile, and anew after that', async () => {
    const flights = new SingleFlight<number>();
    let runs = 0;
    const work = async () => ++runs;
    assert.deepEqual(await Promise.all([flights.run('a', work), flights.run('a', work)]), [1, 1]);
    assert.equal(await flights.run('a', work), 2);
  });

  it('gives every caller the error, and does not keep it', async () => {
    const flights = new SingleFlight<number>();
    const fail = async () => Promise.reject(new Error('no'));
    const results = await Promise.allSettled([flights.run('a', fail), flights.run('a', fail)]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    assert.equal(await flights.run('a', async () => 1), 1);
  });
});
