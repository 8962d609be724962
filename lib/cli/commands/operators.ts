import type { Host } from '../../host';
import type { OperatorStatus } from '../../placement';
import { type Command, UsageError, withHost } from '../command';
import { printGroupedTable, printJson } from '../output';

/** `garua operators`: the operators of the flows that this host owns. */
export const operators: Command = {
  name: 'operators',
  usage: '[move FLOW OPERATOR SITE | scale FLOW OPERATOR N] [--json]',
  summary:
    'List the operators of flows that live here, where they run, and why. move takes one to a site, where it stays until the next deploy; scale runs one with keys as N instances.',
  options: {},
  positionals: { minimum: 0, maximum: 4 },
  async run(invocation) {
    const [action, flow, operator, value] = invocation.positionals;
    const json = invocation.options.json === true;
    if (action === undefined) return withHost(invocation, async (host) => show(await host.operators(), json));
    const act = ACTIONS[action as keyof typeof ACTIONS];
    if (!act) throw new UsageError(`garua operators does not know "${action}"`);
    if (value === undefined)
      throw new UsageError(`operators ${action} needs a flow, an operator and ${act.needs}`);
    await withHost(invocation, async (host) => show([await act.run(host, flow!, operator!, value)], json));
  },
};

const ACTIONS = {
  move: {
    needs: 'a site',
    run: (host: Host, flow: string, operator: string, site: string) =>
      host.moveOperator(flow, operator, site),
  },
  scale: {
    needs: 'a number of instances',
    run(host: Host, flow: string, operator: string, number: string) {
      if (!/^\d{1,2}$/.test(number)) throw new UsageError(`"${number}" is not a number of instances`);
      return host.scaleOperator(flow, operator, Number(number));
    },
  },
};

function show(all: OperatorStatus[], json: boolean): void {
  const head = [
    'FLOW',
    'OPERATOR',
    'NAME',
    'KIND',
    'STATE',
    'MESSAGES/S',
    'CORES',
    'WAITING',
    'SITE',
    'HOST',
    'WHY',
  ];
  if (json) printJson(all);
  else printGroupedTable(head, 8, all.flatMap(rowsOf));
}

function rowsOf({
  flow,
  operator,
  name,
  kind,
  state,
  instances,
  rate,
  cores,
  waiting,
  reason,
  error,
}: OperatorStatus) {
  const about = [flow, operator, name, kind, state, shown(rate), shown(cores), String(waiting)];
  const why = error ? `${error.message} (${error.code})` : reason || '-';
  if (instances.length === 0) return [[...about, '-', '-', why]];
  return instances.map(({ site, host }) => [...about, site, host, why]);
}

function shown(value: number | null): string {
  return value === null ? '-' : String(Number(value.toPrecision(2)));
}
