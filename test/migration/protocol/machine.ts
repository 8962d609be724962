import { rmSync, writeFileSync } from 'node:fs';
import { type Database, openDatabase } from '../../../lib/base';
import type { Arrival, Departure } from '../../../lib/container';
import type { Checkpointer } from '../../../lib/migration/checkpoint';
import {
  MigrationLedger,
  type MigrationMode,
  MigrationSource,
  MigrationTarget,
  type Movement,
  moveContainer,
  type SourceLink,
  type TargetLink,
  type Ticket,
  type Transfer,
} from '../../../lib/migration/protocol';

/** What a host has of the container: what would be in its kernel and its containers table. */
interface Copy {
  running: boolean;
  frozen: boolean;
  /** Whether all its files are on the disk. */
  whole: boolean;
  moving: { role: 'leaving' | 'arriving'; decided: 'here' | 'elsewhere' } | null;
}

/** A call to a host that is down. */
class UnreachableTestError extends Error {}
class CrashTestError extends Error {}

const NAME = 'counter';
const never = () => new Promise<never>(() => {});

/**
 * One host of a simulated pair: a real ledger on a real database, and a container whose state outlives the process.
 * A crash can be set at any point that the process passes: from there on nothing that it does has an effect.
 */
export class Machine {
  readonly #file: string;
  #database: Database;
  /** What a power cut leaves: the index, and the container's state, as they were when they were last synced. */
  #durable!: { index: Buffer; copy: Copy | undefined };
  copy: Copy | undefined;
  up = true;
  /** Where to crash: the n-th point passed. */
  crashAt = 0;
  passed = 0;
  readonly trace: string[] = [];
  peer!: Machine;
  source!: MigrationSource;
  target!: MigrationTarget;
  /** Set when the copy cannot be restored here, or does not become well. */
  restoreFails = false;
  /** Steps that fail, by the names of their points. */
  readonly fails = new Set<string>();
  /** What is being sent when the line hangs. */
  hangs: 'files' | 'pages' | undefined;
  #process = Symbol('process');
  #fall: (() => void) | undefined;
  #fallen!: Promise<void>;

  constructor(
    readonly id: string,
    file: string,
    private readonly onChange: () => void,
  ) {
    this.#file = file;
    this.#database = openDatabase(file);
    this.#boot();
    this.#save();
  }

  #save(): void {
    this.#durable = { index: this.#database.serialize(), copy: this.copy && { ...this.copy } };
  }

  /** Of a machine that is down: nothing is left but what was synced, and no process. */
  losePower(): void {
    if (this.up) return;
    this.#database.close();
    for (const end of ['-wal', '-shm']) rmSync(this.#file + end, { force: true });
    writeFileSync(this.#file, this.#durable.index);
    this.#database = openDatabase(this.#file);
    this.copy = this.#durable.copy && { ...this.#durable.copy, running: false, frozen: false };
  }

  close(): void {
    this.#database.close();
  }

  get active(): boolean {
    return this.copy?.running === true && !this.copy.frozen;
  }

  get ledger(): MigrationLedger {
    return new MigrationLedger(this.#database);
  }

  crash(): void {
    this.up = false;
    this.#fall!();
  }

  restart(): void {
    if (!this.up) this.#boot();
  }

  move(mode: MigrationMode, fence = 1, options: Partial<Movement> = {}) {
    const ticket: Ticket = { id: `m${fence}`, name: NAME, mode, from: this.id, to: this.peer.id, fence };
    this.#save();
    this.#change({ ...this.copy!, moving: { role: 'leaving', decided: 'here' } });
    const checkpoint = async () => {
      await this.#at('dump', () => this.#change({ ...this.copy!, frozen: true }));
      return { frozenMs: 1, dumpMs: 1 };
    };
    return moveContainer({
      ticket,
      departure: this.#departure(),
      source: this.source,
      link: this.#link(),
      start: mode === 'live' ? 'restore' : 'fresh',
      memory: 0,
      downtimeOf: () => 0,
      standstillMs: 60_000,
      checkpointer: { checkpoint } as unknown as Checkpointer,
      exportState: async () => undefined,
      drain: async () => {},
      ...options,
    });
  }

  async recover(): Promise<void> {
    if (!this.up) return;
    await this.target.recovery.recover();
    await this.source.recover();
    await this.target.recovery.settle();
  }

  /** What the opening of a container engine does with what is on the move. */
  #boot(): void {
    this.up = true;
    this.#process = Symbol('process');
    this.#fallen = new Promise((resolve) => {
      this.#fall = resolve;
    });
    if (this.copy?.moving?.decided === 'here') {
      if (this.copy.moving.role === 'arriving') this.#change(undefined);
      else this.#change({ running: true, frozen: false, whole: true, moving: null });
    }
    // A power cut has ended it; its restart policy starts it.
    else if (this.copy && !this.copy.moving) this.#change({ ...this.copy, running: true });
    const ledger = this.#guarded(this.ledger);
    this.source = new MigrationSource({
      ledger,
      departure: async () => (this.#isLeft('leaving') ? this.#departure() : undefined),
      release: (departure) => departure.release(),
      discard: () => this.#at('discard', () => this.#change(undefined)),
      link: () => this.#link(),
      nameOf: (peerId) => peerId,
      patienceMs: 5,
    });
    this.target = new MigrationTarget({
      ledger,
      arrive: async () => {
        await this.#at('arrive', () => {
          if (this.copy) throw new Error('the name is taken');
          const moving = { role: 'arriving', decided: 'here' } as const;
          this.#change({ running: false, frozen: false, whole: false, moving });
        });
        return this.#arrival();
      },
      arrival: async () => (this.#isLeft('arriving') ? this.#arrival() : undefined),
      discard: () => this.#at('discard', () => this.#change(undefined)),
      restore: (arrival) => arrival.restore(),
      importState: async () => {},
      link: () => this.#sourceLink(),
    });
  }

  #isLeft(role: 'leaving' | 'arriving'): boolean {
    return this.copy?.moving?.role === role && this.copy.moving.decided === 'elsewhere';
  }

  #change(copy: Copy | undefined): void {
    this.copy = copy;
    this.onChange();
  }

  /** Notes a point, and crashes if it is the one. */
  #point(name: string, process: symbol): void {
    if (!this.up || process !== this.#process) throw new CrashTestError(name);
    if (name.startsWith('before ') && this.fails.has(name.slice('before '.length))) {
      throw new Error(`${name.slice('before '.length)} failed`);
    }
    this.trace.push(name);
    this.passed += 1;
    if (this.passed !== this.crashAt) return;
    this.crash();
    throw new CrashTestError(name);
  }

  /** Does one thing, with a point before and one after it. */
  async #at<T>(name: string, work: () => T | Promise<T>, process = this.#process): Promise<T> {
    try {
      this.#point(`before ${name}`, process);
      const result = await work();
      this.#point(`after ${name}`, process);
      return result;
    } catch (error) {
      // The process is no more: nobody hears of it.
      if (error instanceof CrashTestError) return never();
      throw error;
    }
  }

  #now(name: string, work: () => void, process = this.#process): void {
    this.#point(`before ${name}`, process);
    work();
    this.#point(`after ${name}`, process);
  }

  #guarded(ledger: MigrationLedger): MigrationLedger {
    const process = this.#process;
    const writes = new Set(['beginSource', 'beginTarget', 'locate', 'advance', 'end', 'record']);
    return new Proxy(ledger, {
      get:
        (all, key: keyof MigrationLedger) =>
        (...parameters: unknown[]) => {
          const call = () => (all[key] as (...these: unknown[]) => unknown).apply(all, parameters);
          if (key === 'sync') return this.#at('sync', () => this.#save(), process);
          if (!writes.has(key)) {
            if (!this.up || process !== this.#process) throw new CrashTestError(key);
            return call();
          }
          const step = key === 'advance' ? ` ${parameters[1]}` : '';
          this.#point(`before ${key}${step}`, process);
          const result = call();
          this.#point(`after ${key}${step}`, process);
          return result;
        },
    });
  }

  #departure(): Departure {
    const process = this.#process;
    const change = (copy: Partial<Copy>) => this.#change({ ...this.copy!, ...copy });
    const departure = {
      id: `${this.id}-copy`,
      name: NAME,
      purpose: 'migration',
      record: {},
      address: null,
      upper: '/upper',
      volumes: [],
      note: async () => {},
      imagesFolder: async () => '/images',
      logFiles: () => [],
      processes: async () => [],
      stop: () => this.#at('stop', () => change({ running: false }), process),
      offer: () =>
        this.#now('offer', () => change({ moving: { role: 'leaving', decided: 'elsewhere' } }), process),
      resume: () => this.#at('resume', () => change({ running: true, frozen: false, moving: null }), process),
      release: () => this.#at('release', () => this.#change(undefined), process),
    };
    return departure as unknown as Departure;
  }

  #arrival(): Arrival {
    const process = this.#process;
    const change = (copy: Partial<Copy>) => this.#change({ ...this.copy!, ...copy });
    const run = () => {
      if (this.restoreFails) throw new Error('it cannot be restored');
      change({ running: true });
    };
    const arrival = {
      id: `${this.id}-copy`,
      name: NAME,
      purpose: 'migration',
      addressOutcome: 'none',
      restore: () => this.#at('restore', run, process),
      startFresh: () => this.#at('startFresh', run, process),
      probe: () =>
        this.#at(
          'probe',
          () => {
            if (!this.copy?.running) throw new Error('it does not run');
          },
          process,
        ),
      accept: () =>
        this.#now('accept', () => change({ moving: { role: 'arriving', decided: 'elsewhere' } }), process),
      sync: () => this.#at('sync files', () => change({ whole: true }), process),
      // One that a power cut has ended starts by its restart policy.
      commit: () => this.#at('commit', () => change({ running: true, moving: null }), process),
      abort: () => this.#at('abort', () => this.#change(undefined), process),
    };
    return arrival as unknown as Arrival;
  }

  /** Calls the other host; when either goes down meanwhile, the caller hears nothing, or that it cannot be reached. */
  #call<T>(name: string, work: (peer: Machine) => T | Promise<T>): Promise<T> {
    const process = this.#process;
    return this.#at(
      `call ${name}`,
      async () => {
        const { peer } = this;
        if (!peer.up) throw new UnreachableTestError(name);
        const gone = peer.#fallen.then(() => {
          throw new UnreachableTestError(name);
        });
        return Promise.race([(async () => work(peer))(), gone]);
      },
      process,
    );
  }

  #link(): TargetLink {
    return {
      preflight: never,
      fetch: never,
      prepare: (request) =>
        this.#call('prepare', async (peer) => {
          await peer.target.prepare(request);
          return { address: 'none' as const };
        }),
      transfer: async (ticket) => this.#transfer(ticket),
      run: (ticket) => this.#call('run', (peer) => peer.target.run(ticket)),
      decide: (ticket) => this.#call('decide', (peer) => peer.target.decide(ticket)),
      settled: (ticket) => this.#call('settled', (peer) => peer.target.recovery.settled(ticket)),
    };
  }

  #sourceLink(): SourceLink {
    return { outcome: (ticket) => this.#call('outcome', (peer) => peer.source.outcome(ticket)) };
  }

  /** The bytes do not matter here; that the transfer breaks off when a host goes down does. */
  #transfer(ticket: Ticket): Transfer {
    let finished = false;
    let breakOff: (() => void) | undefined;
    const { peer } = this;
    void Promise.race([this.#fallen]).then(() => {
      if (!finished && peer.up) void peer.target.abandon(ticket.id).catch(() => {});
    });
    const send = (name: string) => {
      if (name !== this.hangs) return this.#call(name, () => 0);
      return new Promise<number>((_, reject) => {
        breakOff = () => reject(new Error('the transfer was ended'));
      });
    };
    return {
      bytesSent: 0,
      warmUp: async () => {
        await send('warm up');
        return [];
      },
      sendFolders: () => send('files'),
      sendDump: async () => {
        await send('pages');
      },
      sendLog: async () => {},
      settle: async () => {},
      finish: async () => {
        await send('finish');
        finished = true;
      },
      close: async () => {
        breakOff?.();
        if (!finished && peer.up) await peer.target.abandon(ticket.id).catch(() => {});
      },
    };
  }
}
