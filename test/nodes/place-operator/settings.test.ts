import { deepEqual, equal, throws } from 'node:assert/strict';
import { needsOf, weightsOf } from '../../../nodes/place-operator/settings';

const translate = (key: string) => key;
const needs = (settings: object) => needsOf({ subflowId: 's', ...settings }, translate);

describe('what a place-operator needs', () => {
  it('is little where the dialog was left as it is', () => {
    deepEqual(needs({}), {
      runs: { kind: 'subflow', subflow: 's' },
      cpu: 0.25,
      memory: 64,
      device: undefined,
      allowed: undefined,
      pin: undefined,
      key: undefined,
      instances: { least: 1, most: 1 },
      preference: 25,
    });
  });

  it('is read from what the dialog holds', () => {
    const found = needs({
      cpu: '0.5',
      memory: '128',
      sites: ' Quay , Market,',
      pin: ' Quay ',
      device: '/dev/video0',
      key: 'msg.payload.sensor',
      least: '2',
      most: '5',
      preference: '80',
    });
    deepEqual(found.allowed, ['Quay', 'Market']);
    equal(found.pin, 'Quay');
    equal(found.key, 'payload.sensor');
    deepEqual(found.instances, { least: 2, most: 5 });
    equal(found.preference, 80);
  });

  it('has one instance without a key, whatever stands in the hidden fields', () => {
    deepEqual(needs({ least: '2', most: '5' }).instances, { least: 1, most: 1 });
  });

  it('is a program in a container, without network unless it asks for it', () => {
    const container = { runs: 'container', image: ' count:2 ', command: 'count "all of it"' };
    deepEqual(needs({ ...container, environment: 'A=1\n\n B=x=y ', keeps: '/data' }).runs, {
      kind: 'container',
      spec: {
        image: 'count:2',
        command: ['count', 'all of it'],
        env: { A: '1', B: 'x=y ' },
        network: 'none',
        mounts: [{ type: 'volume', source: 'data', target: '/data' }],
      },
      done: 'read',
    });
    deepEqual(needs({ runs: 'container', image: 'count', network: true, done: 'answered' }).runs, {
      kind: 'container',
      spec: { image: 'count', env: {}, network: 'bridge' },
      done: 'answered',
    });
  });

  const wrong: [string, object][] = [
    ['subflow', { subflowId: ' ' }],
    ['image', { runs: 'container', image: ' ' }],
    ['environment', { runs: 'container', image: 'count', environment: 'no value' }],
    ['keeps', { runs: 'container', image: 'count', keeps: 'data' }],
    ['cpu', { cpu: '0' }],
    ['cpu', { cpu: 'much' }],
    ['memory', { memory: '-1' }],
    ['instances', { key: 'topic', least: '3', most: '2' }],
    ['instances', { key: 'topic', least: '0' }],
    ['instances', { key: 'topic', most: '65' }],
    ['preference', { preference: '101' }],
  ];
  for (const [word, settings] of wrong) {
    it(`says what is wrong with ${JSON.stringify(settings)}`, () => {
      throws(() => needs(settings), {
        code: 'ERR_INVALID_ARGUMENT',
        message: `place-operator.invalid.${word}`,
      });
    });
  }
});

describe('what counts when operators are placed', () => {
  it('goes from short ways over little traffic to cheap cores', () => {
    deepEqual(weightsOf([0]), { latency: 1, traffic: 0, resources: 0 });
    deepEqual(weightsOf([25]), { latency: 0.5, traffic: 0.5, resources: 0 });
    deepEqual(weightsOf([50]), { latency: 0, traffic: 1, resources: 0 });
    deepEqual(weightsOf([75]), { latency: 0, traffic: 0.5, resources: 0.5 });
    deepEqual(weightsOf([100]), { latency: 0, traffic: 0, resources: 1 });
  });

  it('is the mean of what the operators prefer', () => {
    deepEqual(weightsOf([0, 100]), { latency: 0.5, traffic: 0, resources: 0.5 });
  });
});
