import { deepEqual, equal, throws } from 'node:assert/strict';
import { completeSpec } from '../../../../lib/container/spec/complete';
import { fallbackName, placeOf } from '../../../../nodes/deploy-container/ownership';
import { type DeployContainerDef, readSettings } from '../../../../nodes/deploy-container/settings';
import {
  actionOf,
  deployRequest,
  forbiddenOverrides,
  nameOf,
} from '../../../../nodes/deploy-container/settings/overrides';

const invalid = { code: 'ERR_INVALID_ARGUMENT' };

function settingsOf(definition: Partial<DeployContainerDef>) {
  return readSettings({ id: 'n', type: 'deploy-container', z: 't', name: '', ...definition }, 'made-up');
}

const noProperty = () => undefined;

describe('readSettings', () => {
  it('needs an image only', () => {
    const settings = settingsOf({ image: ' busybox ' });
    equal(settings.image, 'busybox');
    deepEqual(settings.spec, { name: 'made-up', network: 'host' });
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
      entrypoint: '["sh", "-c"]',
      env: [
        { key: 'A', value: '1' },
        { key: '', value: '' },
      ],
      network: 'bridge',
      ports: [
        { hostPort: '8080', containerPort: '80', protocol: 'tcp', hostAddress: '' },
        { hostPort: '53', containerPort: '', protocol: 'udp', hostAddress: '127.0.0.1' },
        { hostPort: '', containerPort: '', protocol: 'tcp' },
      ],
      hostname: 'web-1',
      service: 'web',
      servicePort: '8080',
      extraHosts: [{ key: 'db', value: '10.0.0.1' }],
      memory: '64m',
      swap: '1g',
      cpus: '0,25',
      pids: '100',
      ioWeight: '50',
      mounts: [
        { source: '/srv', target: '/data', readOnly: true },
        { type: 'volume', source: 'state', target: '/var/state', readOnly: false },
        { type: 'tmpfs', source: '', target: '/scratch', size: '16m' },
        { type: 'bind', source: '', target: '' },
      ],
      devices: [{ source: '/dev/gpiochip0', target: '', permissions: 'r' }],
      readOnlyRoot: true,
      restart: 'on-failure',
      restartRetries: '3',
      liveness: 'http',
      livenessTarget: ':80/health',
      livenessInterval: '0.5',
      livenessFailures: '2',
      readiness: 'exec',
      readinessTarget: 'test -f /ready',
      user: 'nobody',
      groups: 'dialout, 997',
      workingDirectory: '/data',
      labels: [{ key: 'team', value: 'water' }],
      capabilitiesAdd: 'net_admin',
      capabilitiesDrop: 'ALL',
      privileged: true,
    });
    deepEqual(spec, {
      name: 'web',
      command: ['httpd', '-f'],
      entrypoint: ['sh', '-c'],
      env: { A: '1' },
      network: 'bridge',
      ports: [
        { hostPort: 8080, containerPort: 80, protocol: 'tcp' },
        { hostPort: 53, containerPort: 53, protocol: 'udp', hostAddress: '127.0.0.1' },
      ],
      hostname: 'web-1',
      service: 'web',
      servicePort: 8080,
      extraHosts: { db: '10.0.0.1' },
      memory: 64 * 2 ** 20,
      swap: 2 ** 30,
      cpus: 0.25,
      pids: 100,
      ioWeight: 50,
      mounts: [
        { type: 'bind', source: '/srv', target: '/data', readOnly: true },
        { type: 'volume', source: 'state', target: '/var/state', readOnly: false },
        { type: 'tmpfs', target: '/scratch', readOnly: false, size: 16 * 2 ** 20 },
      ],
      devices: [{ source: '/dev/gpiochip0', permissions: 'r' }],
      readOnlyRoot: true,
      restart: { policy: 'on-failure', maximumRetries: 3 },
      liveness: { http: 'http://:80/health', intervalMs: 500, failureThreshold: 2 },
      readiness: { exec: ['test', '-f', '/ready'] },
      user: 'nobody',
      groups: ['dialout', '997'],
      workingDirectory: '/data',
      labels: { team: 'water' },
      capabilities: { add: ['NET_ADMIN'], drop: ['ALL'] },
      privileged: true,
    });
    // The library takes it as it is.
    completeSpec({ ...spec, image: 'busybox' });
  });

  it('leaves ports out where none can be published, and retries where there are none', () => {
    const ports = [{ hostPort: 80, containerPort: 80 }];
    const { spec } = settingsOf({
      image: 'a',
      network: 'host',
      ports,
      restart: 'always',
      restartRetries: '3',
    });
    deepEqual([spec.ports, spec.restart], [undefined, { policy: 'always' }]);
  });

  it('asks a port by number or with its host', () => {
    const target = (livenessTarget: string) =>
      settingsOf({ image: 'a', liveness: 'tcp', livenessTarget }).spec.liveness;
    deepEqual([target('80'), target('db:5432')], [{ tcp: 80 }, { tcp: 'db:5432' }]);
  });

  for (const [what, definition] of Object.entries({
    memory: { memory: 'much' },
    command: { command: '"' },
    network: { network: 'magic' },
    'pull policy': { pull: 'sometimes' },
    port: { network: 'bridge', ports: [{ hostPort: 'x', containerPort: '80' }] },
    mount: { mounts: [{ type: 'cloud', source: '/a', target: '/b' }] },
    'number of cores': { cpus: 'half' },
    probe: { liveness: 'telepathy', livenessTarget: 'x' },
    'probe without a question': { readiness: 'http' },
    'restart policy': { restart: 'sometimes' },
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
      cpus: 0.5,
      pullPolicy: 'never',
    };
    const { spec, policy } = deployRequest(settings, message, noProperty);
    deepEqual(
      [spec.image, spec.name, spec.command, spec.env, spec.memory, spec.cpus, policy],
      ['alpine:3', 'other', ['sleep', '9'], { B: '2' }, 2 ** 30, 0.5, 'never'],
    );
  });

  it('never lets a message touch what grants power over the host', () => {
    const message = {
      mounts: [{ source: '/', target: '/host' }],
      network: 'none',
      user: 'root',
      devices: ['/dev/mem'],
      credentials: { username: 'u', password: 'p' },
      groups: ['disk'],
      ports: [{ hostPort: 22, containerPort: 22 }],
      capabilities: { add: ['SYS_ADMIN'] },
      privileged: true,
      extraHosts: { 'bank.example.com': '10.0.0.1' },
      service: 'bank',
    };
    deepEqual(deployRequest(settings, message, noProperty), deployRequest(settings, {}, noProperty));
    deepEqual(forbiddenOverrides(message).sort(), Object.keys(message).sort());
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
