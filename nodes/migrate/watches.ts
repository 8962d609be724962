import { parseSize } from '../../lib/base';
import {
  Balance,
  Consolidate,
  Evacuate,
  type FogView,
  Follow,
  MakeRoom,
  parseSelection,
  type Trigger,
} from '../../lib/migration/triggers';
import type { Translate } from '../feedback';
import { invalid, type MigrateSettings } from './settings';

/** A word of the catalogue under the node, and what stands in it. */
export interface State {
  level: 'ok' | 'waiting';
  word: string;
  values?: Record<string, string>;
}

/** A trigger as a node uses it. */
export interface Watch {
  trigger: Trigger;
  /** Containers that move at a time. */
  most: number;
  /** Milliseconds between two looks. */
  everyMs: number;
  /** Who is followed, if somebody is. */
  user?: string | undefined;
  /** What the node shows while nothing moves. */
  state(view: FogView): State;
  /** Takes what a message says; false when that is nothing for it. @throws {InvalidArgumentError} */
  take(message: Record<string, unknown>): boolean;
}

const WATCHING: State = { level: 'ok', word: 'watching' };
const EMPTY: State = { level: 'ok', word: 'empty' };

/** Seconds for which a state must last where the dialog does not say. */
const SECONDS = { follow: 30, evacuate: 10, balance: 60, consolidate: 600, room: 10 } as const;

type Kind = keyof typeof SECONDS;

const KINDS: Record<Kind, (read: Reader) => Omit<Watch, 'everyMs'>> = {
  follow: (read) => {
    const [marginMs, nearer] = [read.number('marginMs', 5), read.share('marginPercent', 20)];
    const container = read.text('container');
    const trigger = new Follow({ container, forMs: read.forMs, marginMs, nearer });
    return {
      ...{ trigger, most: 1, user: read.settings.user?.trim() || undefined },
      state: () =>
        trigger.nearest === undefined
          ? { level: 'waiting', word: 'lost' }
          : { level: 'ok', word: 'near', values: { site: trigger.nearest } },
      take(message) {
        if (typeof message.user !== 'string') return false;
        this.user = message.user.trim() || undefined;
        return true;
      },
    };
  },

  evacuate: ({ forMs, selection }) => {
    const trigger = new Evacuate({ selection, forMs });
    return {
      ...{ trigger, most: 2 },
      state({ containers, troubles }) {
        const isEmpty = !containers.some(selection);
        if (trigger.isAsked) return isEmpty ? EMPTY : { level: 'waiting', word: 'leaving' };
        return troubles.length > 0 ? { level: 'waiting', word: 'trouble' } : WATCHING;
      },
      take({ evacuate }) {
        if (typeof evacuate !== 'boolean') return false;
        trigger.isAsked = evacuate;
        return true;
      },
    };
  },

  balance: (read) => {
    const [high, low] = [read.share('high', 85), read.share('low', 60)];
    if (low >= high) throw read.invalid('limits');
    const trigger = new Balance({ selection: read.selection, high, low, forMs: read.forMs });
    return { trigger, most: 1, state: () => WATCHING, take: () => false };
  },

  consolidate: (read) => {
    const { selection, forMs } = read;
    const [idle, high] = [read.share('idle', 20), read.share('high', 85)];
    const trigger = new Consolidate({ selection, idle, high, forMs });
    const state = ({ containers }: FogView) => (containers.some(selection) ? WATCHING : EMPTY);
    return { trigger, most: 1, state, take: () => false };
  },

  room: (read) => {
    const memory = parseSize(read.settings.memory || '128m');
    const trigger = new MakeRoom({ selection: read.selection, memory, forMs: read.forMs });
    return {
      ...{ trigger, most: 1 },
      state: () => (trigger.want ? { level: 'waiting', word: 'room' } : WATCHING),
      take(message) {
        if (message.memory === undefined) return false;
        const priority = Number(message.priority ?? 0);
        if (!Number.isFinite(priority)) throw read.invalid('priority');
        trigger.want = { memory: parseSize(String(message.memory)), priority };
        return true;
      },
    };
  },
};

/** What looks on for the dialog's settings; undefined when messages decide. @throws {InvalidArgumentError} */
export function watchOf(settings: MigrateSettings, translate: Translate): Watch | undefined {
  const { when = 'message' } = settings;
  if (when === 'message' || when === '') return undefined;
  if (!Object.hasOwn(KINDS, when)) throw invalid('when', translate);
  const read = new Reader(when as Kind, settings, translate);
  const everyMs = Math.min(5_000, Math.max(500, read.forMs / 4));
  return Object.assign(KINDS[when as Kind](read), { everyMs });
}

/** Reads the fields of the dialog; an empty one has its default. */
class Reader {
  readonly forMs: number;
  readonly selection: ReturnType<typeof parseSelection>;

  constructor(
    kind: Kind,
    readonly settings: MigrateSettings,
    private readonly translate: Translate,
  ) {
    this.forMs = this.number('seconds', SECONDS[kind]) * 1000;
    this.selection = parseSelection(settings.containers ?? '');
  }

  invalid(word: string): Error {
    return invalid(word, this.translate);
  }

  text(field: 'container'): string {
    const value = this.settings[field]?.trim() ?? '';
    if (value === '') throw this.invalid(field);
    return value;
  }

  number(field: 'seconds' | 'marginMs' | 'marginPercent' | 'high' | 'low' | 'idle', usual: number): number {
    const text = String(this.settings[field] ?? '').trim();
    const value = text === '' ? usual : Number(text);
    if (!Number.isFinite(value) || value < 0) throw this.invalid('number');
    return value;
  }

  /** Percent as 0 to 1. */
  share(field: 'marginPercent' | 'high' | 'low' | 'idle', usual: number): number {
    const percent = this.number(field, usual);
    if (percent > 100) throw this.invalid('number');
    return percent / 100;
  }
}
