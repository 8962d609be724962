import type { ErrorDocument } from '../../../base';
import type { OperatorState, OperatorStatus, PlacedOperator } from '../flow';
import { ProgramError } from './errors';
import type { FlowState } from './flow-state';
import type { OperatorRecord } from './records';

/** An operator as people see it. */
export function statusOf(state: FlowState, operator: PlacedOperator): OperatorStatus {
  const record = state.records.get(operator.id);
  const figures = state.figures.get(operator.id);
  const error = state.errors.get(operator.id);
  const away =
    record?.instances.filter(({ peerId }) =>
      state.hosts.some((host) => host.peerId === peerId && !host.isUp),
    ) ?? [];
  return {
    ...{ flow: state.flow.id, operator: operator.id, name: operator.name, kind: operator.body.kind },
    state: stateOf(record, away.length > 0, error),
    instances: (record?.instances ?? []).map(({ number, host, site }) => ({
      ...{ instance: `${number}`, host, site },
      partitions: record!.owners.filter((owner) => owner === number).length,
    })),
    ...{ rate: figures?.rate ?? null, cores: figures?.cores ?? null, waiting: figures?.waiting ?? 0 },
    reason: away.length > 0 ? `waits for ${away[0]!.host}, which is away` : (record?.reason ?? ''),
    ...(error ? { error } : figures?.problem ? { error: new ProgramError(figures.problem).toJSON() } : {}),
  };
}

function stateOf(
  record: OperatorRecord | undefined,
  isAway: boolean,
  error: ErrorDocument | undefined,
): OperatorState {
  if (record?.move) return error ? 'waiting' : 'moving';
  if (isAway) return 'waiting';
  if (!record?.owners.every((owner) => owner !== null)) return error ? 'failed' : 'starting';
  return 'running';
}
