import type { ContainerSpec, MigrateOptions, MigrationResult } from '../../../lib';
import type { Delay } from '../harness/event-loop';
import { gapsOf, untilMore } from './gaps';
import type { MovingHosts } from './with-hosts';

/** Answers or heartbeats that show that it runs. */
const SIGNS = 100;

/** What one move came to; the downtime in milliseconds as those saw it who asked. */
export interface Move {
  downtime: number;
  result: MigrationResult;
  eventLoop: Delay;
}

/** Milliseconds that are missing among the times at which there was an answer, from before a move until after it. */
export async function downtimeOf(times: () => readonly number[], move: () => Promise<void>): Promise<number> {
  await untilMore(times, SIGNS);
  const from = Date.now() * 1000;
  await move();
  await untilMore(times, SIGNS);
  return gapsOf(times().filter((time) => time >= from)).downtime;
}

/** Starts a container on the first host, moves it to the second and removes it. */
export async function measureMove(
  hosts: MovingHosts,
  spec: Partial<ContainerSpec> & { name: string },
  times: () => readonly number[],
  { before, ...options }: Partial<MigrateOptions> & { before?: () => Promise<void> } = {},
): Promise<Move> {
  const { image, mounts } = hosts;
  hosts.forgetBeats();
  try {
    await hosts.hosts[0].use((host) =>
      host.deploy({ image, ...spec, mounts: [...mounts, ...(spec.mounts ?? [])] }, { policy: 'never' }),
    );
    await before?.();
    let result: MigrationResult | undefined;
    await hosts.eventLoop();
    const downtime = await downtimeOf(times, async () => {
      result = await hosts.move(spec.name, options);
    });
    return { downtime, result: result!, eventLoop: await hosts.eventLoop() };
  } finally {
    await hosts.remove(spec.name);
  }
}
