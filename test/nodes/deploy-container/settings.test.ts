import { deepEqual, equal, throws } from 'node:assert/strict';
import {
  actionOf,
  deployRequest,
  forbiddenOverrides,
  nameOf,
} from '../../../nodes/deploy-container/overrides';
import { fallbackName, placeOf } from '../../../nodes/deploy-container/ownership';
import { type DeployContainerDef, readSettings } from '../../../nodes/deploy-container/settings';

const invalid = { code: 'ERR_INVALID_ARGUMENT' };

function settingsOf(definition: Partial<DeployContainerDef>) {
  return readSettings({ id: 'n', type: 'deploy-container', z: 't', name: '', ...definition }, 'made-up');
}

const noProperty = () => undefined;

describe('readSettings', () => {
  it('needs an image only', () => {
    const settings = settingsOf({ image: ' busybox ' });
    equal(settings.image, 'busybox');
    deepEqual(settings.spec, {
      name: 'made-up',
      command: undefined,
      env: {},
      mounts: [],
      memory: undefined,
      network: 'host',
    });
    deepEqual(
      [settings.policy, settings.start, settings.logs, settings.removeOnDelete],
      ['missing', true, false, true],
    );
  });

  it('reads what the dialog stores', () => {
    const { spec } = settingsOf({
      image: 'busybox',
      name: 'web',
      command: 'httpd -f',
      env: [
        { key: 'A', value: '1' },
        { key: '', value: '' },
      ],
      mounts: [{ source: '/srv', target: '/data', readOnly: true }],
      memory: '64m',
      network: 'none',
    });
    deepEqual(spec, {
      name: 'web',
      command: ['httpd', '-f'],
      env: { A: '1' },
      mounts: [{ source: '/srv', target: '/data', readOnly: true }],
      memory: 64 * 2 ** 20,
      network: 'none',
    });
  });

  for (const [what, definition] of Object.entries({
    memory: { memory: 'much' },
    command: { command: '"' },
    network: { network: 'magic' },
    'pull policy': { pull: 'sometimes' },
  })) {
    it(`refuses a wrong ${what}`, () => throws(() => settingsOf({ image: 'a', ...definition }), invalid));
  }
});

describe('deployRequest', () => {
  const settings = settingsOf({
    image: 'busybox',
    name: 'web',
    env: [{ key: 'A', value: '1' }],
    memory: '64m',
  });

  it('uses the settings where the message is silent', () => {
    const { spec, policy } = deployRequest(settings, { payload: 'x' }, noProperty);
    deepEqual(
      [spec.image, spec.name, spec.env, spec.memory, policy],
      ['busybox', 'web', { A: '1' }, 64 * 2 ** 20, 'missing'],
    );
  });

  it('lets a message override what grants no power', () => {
    const message = {
      image: 'alpine:3',
      name: 'other',
      command: ['sleep', '9'],
      env: { B: 2, A: null },
      memory: '1g',
      pullPolicy: 'never',
    };
    const { spec, policy } = deployRequest(settings, message, noProperty);
    deepEqual(
      [spec.image, spec.name, spec.command, spec.env, spec.memory, policy],
      ['alpine:3', 'other', ['sleep', '9'], { B: '2' }, 2 ** 30, 'never'],
    );
  });

  it('never lets a message touch mounts, network or user', () => {
    const message = {
      mounts: [{ source: '/', target: '/host' }],
      network: 'none',
      user: 'root',
      devices: ['/dev/mem'],
      credentials: { username: 'u', password: 'p' },
    };
    deepEqual(deployRequest(settings, message, noProperty), deployRequest(settings, {}, noProperty));
    deepEqual(forbiddenOverrides(message).sort(), ['credentials', 'devices', 'mounts', 'network', 'user']);
  });

  it('takes the image from the property that the dialog names', () => {
    const fromMessage = settingsOf({ image: 'payload.image', imageType: 'msg' });
    const read = (path: string) => (path === 'payload.image' ? 'alpine' : undefined);
    equal(deployRequest(fromMessage, {}, read).spec.image, 'alpine');
    throws(() => deployRequest(fromMessage, {}, noProperty), { ...invalid, message: /msg\.payload\.image/ });
  });

  for (const message of [
    { image: 7 },
    { name: {} },
    { command: [1] },
    { env: ['A=1'] },
    { memory: 'much' },
    { pullPolicy: 'x' },
  ]) {
    it(`refuses ${JSON.stringify(message)}`, () => {
      throws(() => deployRequest(settings, message, noProperty), invalid);
    });
  }
});

describe('actions and names', () => {
  it('deploys unless told otherwise', () => {
    equal(actionOf({}), 'deploy');
    equal(actionOf({ action: 'stop' }), 'stop');
    throws(() => actionOf({ action: 'explode' }), invalid);
    equal(nameOf(settingsOf({ image: 'a', name: 'web' }), { name: 'other' }), 'other');
  });

  it('makes up a name that is stable, readable and differs between nodes', () => {
    const image = 'registry.local:5000/team/web:1.2@sha256:00';
    equal(fallbackName(image, 'n1').slice(0, 4), 'web-');
    equal(fallbackName(image, 'n1'), fallbackName(image, 'n1'));
    equal(fallbackName(image, 'n1') === fallbackName(image, 'n2'), false);
    equal(fallbackName('', 'n1').startsWith('container-'), true);
  });

  it('knows a node in a subflow by its path, since its id changes', () => {
    equal(placeOf({ id: 'a' }), 'a');
    equal(placeOf({ id: 'random', _alias: 'a', _path: 'tab/instance/a' }), 'tab/instance/a');
  });
});
