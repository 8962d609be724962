import assert from 'node:assert/strict';
import { HeldLease, LeaseBook } from '../../../../lib/placement/controller';
import { Random } from '../../../../lib/placement/search/random';

const SIZE = { cpu: 4, memory: 1000 };

function book(now = () => 0) {
  return new LeaseBook({ ...SIZE, now });
}

const asking = { owner: 'a', purpose: 'window', cpu: 1, memory: 100, seconds: 60 };

describe('placement, leases', () => {
  it('are granted until nothing is free, and say what is', () => {
    const host = book();
    for (let each = 0; each < 4; each += 1) host.request({ ...asking, purpose: `p${each}` });
    assert.deepEqual(host.free, { cpu: 0, memory: 600 });
    assert.throws(() => host.request({ ...asking, owner: 'b', cpu: 0.5 }), {
      code: 'ERR_LEASE_REFUSED',
      message: '0.5 cores are asked for, 0 are free',
    });
    assert.throws(() => host.request({ ...asking, owner: 'b', cpu: 0, memory: 601 }), {
      code: 'ERR_LEASE_REFUSED',
      message: 'memory 601 is asked for, 600 is free',
    });
    assert.equal(host.leases.length, 4);
  });

  it('end by themselves, by being given back, and never by being renewed', () => {
    let now = 0;
    const host = book(() => now);
    const lease = host.request(asking);
    now = 59_999;
    assert.equal(host.free.cpu, 3);
    assert.equal(host.renew(lease.id, 10).expiresAt, 69_999);
    assert.equal(host.renew(lease.id, 1).expiresAt, 69_999);
    now = 69_999;
    assert.equal(host.free.cpu, 4);
    assert.throws(() => host.renew(lease.id, 60), { code: 'ERR_LEASE_EXPIRED' });
    const second = host.request(asking);
    host.release(second.id);
    host.release(second.id);
    assert.equal(host.free.cpu, 4);
  });

  it('for the same purpose replace each other; the former stays when the new is refused', () => {
    const host = book();
    const first = host.request({ ...asking, cpu: 3 });
    const second = host.request({ ...asking, cpu: 4 });
    assert.deepEqual(
      host.leases.map(({ id }) => id),
      [second.id],
    );
    assert.throws(() => host.renew(first.id, 10), { code: 'ERR_LEASE_EXPIRED' });
    assert.throws(() => host.request({ ...asking, cpu: 5 }), { code: 'ERR_LEASE_REFUSED' });
    assert.deepEqual(
      host.leases.map(({ id }) => id),
      [second.id],
    );
  });

  it('outlive a lowered capacity, may shrink under it, and may not grow', () => {
    const host = book();
    host.request({ ...asking, cpu: 3 });
    host.capacity = { cpu: 1, memory: 1000 };
    assert.equal(host.free.cpu, -2);
    assert.throws(() => host.request({ ...asking, cpu: 3.5 }), { code: 'ERR_LEASE_REFUSED' });
    host.request({ ...asking, cpu: 2 });
    assert.equal(host.free.cpu, -1);
  });

  it('are refused when they make no sense', () => {
    const refusal = { code: 'ERR_INVALID_ARGUMENT' };
    assert.throws(() => book().request({ ...asking, cpu: -1 }), refusal);
    assert.throws(() => book().request({ ...asking, memory: Number.NaN }), refusal);
    assert.throws(() => book().request({ ...asking, seconds: 0 }), refusal);
    assert.throws(() => book().request({ ...asking, seconds: 1e9 }), refusal);
  });

  it('never lend the host twice, whatever owners do', () => {
    for (let seed = 0; seed < 100; seed += 1) {
      const random = new Random(seed);
      let now = 0;
      const host = book(() => now);
      for (let step = 0; step < 200; step += 1) {
        now += random.below(5000);
        const lease = host.leases.length > 0 ? random.pick(host.leases) : undefined;
        const choice = random.fraction();
        if (choice < 0.6) {
          tryTo(() =>
            host.request({
              owner: random.pick(['a', 'b', 'c']),
              purpose: random.pick(['p', 'q', 'r', 's']),
              cpu: random.between(0, 3),
              memory: random.between(0, 700),
              seconds: random.between(0.1, 60),
            }),
          );
        } else if (choice < 0.8 && lease) host.renew(lease.id, random.between(0.1, 60));
        else if (lease) host.release(lease.id);
        const { cpu, memory } = host.free;
        assert.ok(cpu >= -1e-8 && memory >= -1e-5, `seed ${seed} step ${step}: ${cpu} ${memory}`);
      }
    }
  });

  /** Owners with clocks of their own, messages that are late, get lost, or lose their answer. */
  it('are never believed in by more owners than the host can serve', () => {
    let most = 0;
    for (let seed = 0; seed < 60; seed += 1) most = Math.max(most, new Simulation(new Random(seed)).run());
    // The simulation must get to the edge to be worth something.
    assert.ok(most > 0.9 * SIZE.cpu, `${most}`);
  });
});

interface Message {
  at: number;
  deliver: () => void;
}

class Simulation {
  #now = 0;
  #messages: Message[] = [];
  readonly #host = new LeaseBook({ ...SIZE, now: () => this.#now });
  readonly #owners: { name: string; skew: number; held: { lease: HeldLease; cpu: number }[] }[];

  constructor(private readonly random: Random) {
    this.#owners = ['a', 'b'].map((name) => ({ name, skew: random.between(-1e6, 1e6), held: [] }));
  }

  /** @returns the most cores that owners believed in at one time. */
  run(): number {
    let most = 0;
    for (let step = 0; step < 300; step += 1) {
      this.#now += this.random.below(3000);
      this.#deliver();
      this.#act(step);
      const believed = this.#owners.flatMap(({ held, skew }) =>
        held.filter(({ lease }) => lease.isHeld(this.#now + skew)).map(({ cpu }) => cpu),
      );
      const sum = believed.reduce((total, cpu) => total + cpu, 0);
      assert.ok(sum <= SIZE.cpu + 1e-8, `${sum} cores at step ${step}`);
      most = Math.max(most, sum);
    }
    return most;
  }

  #act(step: number): void {
    const owner = this.random.pick(this.#owners);
    const sentAt = this.#now + owner.skew;
    const seconds = this.random.between(1, 30);
    const held = owner.held.length > 0 ? this.random.pick(owner.held) : undefined;
    if (held && this.random.fraction() < 0.4) {
      this.#call(
        () => this.#host.renew(held.lease.id, seconds),
        () => held.lease.renewed(seconds, sentAt),
      );
    } else if (held && this.random.fraction() < 0.3) {
      owner.held.splice(owner.held.indexOf(held), 1);
      this.#call(() => this.#host.release(held.lease.id));
    } else {
      const cpu = this.random.between(0.1, 1.5);
      const request = { owner: owner.name, purpose: `${step}`, cpu, memory: 1, seconds };
      this.#call(
        () => this.#host.request(request),
        ({ id }) => owner.held.push({ lease: new HeldLease(id, seconds, sentAt), cpu }),
      );
    }
  }

  #call<T>(ask: () => T, answered: (answer: T) => void = () => {}): void {
    this.#send(() => {
      const answer = tryTo(ask);
      if (answer !== undefined) this.#send(() => answered(answer));
    });
  }

  #send(deliver: () => void): void {
    if (this.random.fraction() < 0.1) return;
    this.#messages.push({ at: this.#now + this.random.below(8000), deliver });
  }

  #deliver(): void {
    const due = this.#messages.filter(({ at }) => at <= this.#now);
    this.#messages = this.#messages.filter(({ at }) => at > this.#now);
    for (const { deliver } of due) deliver();
  }
}

function tryTo<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    assert.match((error as { code: string }).code, /^ERR_LEASE_/);
    return undefined;
  }
}
