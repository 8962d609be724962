import { deepEqual, equal } from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import type { NodeStatus } from 'node-red';
import { GaruaError } from '../../../lib/base';
import type { ContainerStatus } from '../../../lib/container';
import { StatusLine } from '../../../nodes/deploy-container/status-line';
import { translatorOf } from '../../support/node-red';

const translate = translatorOf('deploy-container');

function line(): { shown: NodeStatus[]; status: StatusLine } {
  const shown: NodeStatus[] = [];
  return { shown, status: new StatusLine((status) => shown.push(status), translate) };
}

const pulling = (done: number, total = 200) => ({ phase: 'pulling', done, total, unit: 'bytes' as const });

describe('StatusLine', () => {
  it('shows the first and the last of a burst of progress', async () => {
    const { shown, status } = line();
    for (let done = 0; done <= 100; done += 1) status.progress(pulling(done));
    deepEqual(shown, [{ fill: 'blue', shape: 'ring', text: 'pulling 0%' }]);
    await delay(300);
    deepEqual(shown.at(-1), { fill: 'blue', shape: 'ring', text: 'pulling 50%' });
    equal(shown.length, 2);
  });

  it('forgets waiting progress when something final comes', async () => {
    const { shown, status } = line();
    status.progress(pulling(1));
    status.progress(pulling(2));
    status.container({ state: 'running' } as ContainerStatus);
    await delay(300);
    deepEqual(shown.at(-1), { fill: 'green', shape: 'dot', text: 'running' });
  });

  it('has a look for each state', () => {
    const { shown, status } = line();
    const running = { state: 'running' } as ContainerStatus;
    const rolledBack = { code: 'ERR_X', message: '', time: '' };
    status.container({ ...running, health: 'starting' });
    status.container({ ...running, health: 'healthy' });
    status.container({ ...running, health: 'unhealthy', reason: 'liveness probe: refused' });
    status.container({ ...running, health: 'unhealthy', reason: 'readiness probe: 503' });
    status.container({ ...running, health: 'healthy', rolledBack });
    status.container({ ...running, health: 'unhealthy', reason: 'liveness probe: no', rolledBack });
    status.container({ state: 'restarting', restarts: 2 } as ContainerStatus);
    status.container({ state: 'stopped', exitCode: 143 } as ContainerStatus);
    status.container({ state: 'failed', exitCode: 137 } as ContainerStatus);
    status.container({
      state: 'failed',
      exitCode: 137,
      reason: 'out of memory (limit 64 MiB)',
    } as ContainerStatus);
    status.waiting('network');
    status.error(new GaruaError('ERR_POLICY_MOUNT', '', ''));
    status.error(new GaruaError('ERR_DISK_FULL', '', ''));
    status.error(new GaruaError('ERR_NOBODY_KNOWS', '', ''));
    status.removed();
    deepEqual(
      shown.map(({ fill, shape, text }) => `${fill} ${shape} ${text}`),
      [
        'yellow ring starting',
        'green dot healthy',
        'red ring unhealthy',
        'yellow ring not ready',
        'yellow ring rolled back',
        'red ring unhealthy',
        'yellow ring restarting 3',
        'yellow ring stopped',
        'red ring failed (137)',
        'red ring out of memory',
        'yellow ring waiting for network',
        'red ring refused by policy',
        'red ring disk full',
        'red ring failed',
        'yellow ring removed',
      ],
    );
  });

  it('stays under 20 characters and passes unknown phases on', () => {
    const { shown, status } = line();
    status.progress({ phase: 'reticulating-all-splines', done: 1, total: 1, unit: 'bytes' });
    status.working('resolving');
    deepEqual(
      shown.map(({ text }) => text),
      ['reticulating-a 100%', 'resolving'],
    );
  });

  it('has short words for all it knows', () => {
    const { shown, status } = line();
    const texts = translatorOf.catalogue('deploy-container')['deploy-container']!.error!;
    for (const [code, text] of Object.entries(texts)) {
      status.error(new GaruaError(code, '', ''));
      equal(shown.at(-1)!.text, text);
    }
  });
});
