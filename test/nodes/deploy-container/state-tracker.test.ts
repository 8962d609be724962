import { equal } from 'node:assert/strict';
import type { ContainerStatus } from '../../../lib/container';
import { StateTracker } from '../../../nodes/deploy-container/state-tracker';

const at = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();

function status(state: ContainerStatus['state'], startedAt: string | null, finishedAt: string | null = null) {
  const pid = state === 'running' ? 7 : null;
  return { name: 'web', state, pid, exitCode: null, startedAt, finishedAt } as ContainerStatus;
}

describe('StateTracker', () => {
  it('tells a state once, however it hears of it', () => {
    const tracker = new StateTracker();
    const running = status('running', at(0));
    equal(tracker.note(running), true);
    equal(tracker.note({ ...running }), false);
  });

  it('ignores reports that were overtaken', () => {
    const tracker = new StateTracker();
    const [first, end, second] = [at(0), at(1), at(2)];
    equal(tracker.note(status('running', second)), true);
    equal(tracker.note(status('stopped', first, end)), false);
    equal(tracker.note(status('created', null)), false);
    equal(tracker.note(status('failed', second, second)), true);
    equal(tracker.note(status('running', second)), false);
  });

  it('hears nothing of a removed container but its next life', () => {
    const tracker = new StateTracker();
    tracker.note(status('running', at(-2)));
    tracker.remove('web');
    equal(tracker.knows('web'), false);
    equal(tracker.note(status('stopped', at(-2), at(-1))), false);
    equal(tracker.note(status('running', at(1))), true);
  });
});
