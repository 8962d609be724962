import type { Machine } from './machine';

/** Something that is wrong with the supply or the cooling of a Raspberry Pi. */
export interface PowerTrouble {
  kind: 'undervoltage' | 'throttled' | 'hot';
  /** Whether it lasts, or has only been so since the start. */
  now: boolean;
}

/** Its bit while it lasts, and its bit once it has been since the start. */
const BITS: [PowerTrouble['kind'], number, number][] = [
  ['undervoltage', 0, 16],
  ['throttled', 2, 18],
  ['hot', 3, 19],
];

/**
 * The firmware's bits (`vcgencmd get_throttled`), or else the kernel's own alarm, which holds while the voltage was
 * too low within the last seconds; undefined when neither is there.
 */
export async function powerTroubles(machine: Machine): Promise<PowerTrouble[] | undefined> {
  const drivers = '/sys/bus/platform/drivers/raspberrypi-firmware';
  for (const name of await machine.list(drivers)) {
    const text = await machine.read(`${drivers}/${name}/get_throttled`);
    const bits = Number.parseInt(text ?? '', 16);
    if (Number.isNaN(bits)) continue;
    return BITS.flatMap(([kind, now, before]): PowerTrouble[] => {
      if ((bits >> now) & 1) return [{ kind, now: true }];
      return (bits >> before) & 1 ? [{ kind, now: false }] : [];
    });
  }
  for (const name of await machine.list('/sys/class/hwmon')) {
    const folder = `/sys/class/hwmon/${name}`;
    if ((await machine.read(`${folder}/name`))?.trim() !== 'rpi_volt') continue;
    const alarm = (await machine.read(`${folder}/in0_lcrit_alarm`))?.trim();
    return alarm === '1' ? [{ kind: 'undervoltage', now: true }] : [];
  }
  return undefined;
}
