import type { Aggregate, Counters } from './aggregate';
import { canonicalJson } from './canonical-json';
import { addToRegisters, estimate, joinRegisters, newRegisters, type Registers } from './hyperloglog';
import { addOccurrence, type Occurrences, removeOccurrence } from './occurrences';

/** Up to this many different values the answer is exact. */
export const EXACT_DISTINCT = 1_000;

interface DistinctState {
  /** While there are few. */
  exact: Set<string> | undefined;
  registers: Registers | undefined;
}

/** A window that slides keeps its events anyway: there the answer is always exact. */
const counters: Counters<Occurrences> = {
  empty: () => new Map(),
  add: (state, value) => addOccurrence(state, canonicalJson(value)),
  remove: (state, value) => removeOccurrence(state, canonicalJson(value)),
  lower: (state) => state.size,
};

/** How many different values, equal as JSON; a missing field counts as null. */
export const distinct: Aggregate<DistinctState> = {
  empty: () => ({ exact: new Set(), registers: undefined }),
  lift: (value) => ({ exact: new Set([canonicalJson(value)]), registers: undefined }),
  combine: (older, newer) => {
    if (older.exact && newer.exact) {
      const exact = new Set([...older.exact, ...newer.exact]);
      return exact.size <= EXACT_DISTINCT ? { exact, registers: undefined } : sketchOf(exact);
    }
    const [a, b] = [older, newer].map((state) => state.registers ?? sketchOf(state.exact!).registers!);
    return { exact: undefined, registers: joinRegisters(a!, b!) };
  },
  add: (state, value) => {
    const text = canonicalJson(value);
    if (!state.exact) {
      addToRegisters(state.registers!, text);
      return state;
    }
    state.exact.add(text);
    return state.exact.size <= EXACT_DISTINCT ? state : sketchOf(state.exact);
  },
  lower: (state) => (state.exact ? state.exact.size : estimate(state.registers!)),
  save: ({ exact, registers }) =>
    exact ? { exact: [...exact] } : { registers: Buffer.from(registers!).toString('base64') },
  load: (saved) => {
    const { exact, registers } = saved as { exact?: string[]; registers?: string };
    if (exact) return { exact: new Set(exact), registers: undefined };
    return { exact: undefined, registers: new Uint8Array(Buffer.from(registers!, 'base64')) };
  },
  counters: counters as Counters<unknown>,
};

function sketchOf(exact: Set<string>): DistinctState {
  const registers = newRegisters();
  for (const text of exact) addToRegisters(registers, text);
  return { exact: undefined, registers };
}
