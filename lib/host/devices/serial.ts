import { basename } from 'node:path';
import type { DeviceReader } from './device';

/** A serial port, under the name that stays, and what it is. */
export interface SerialPort {
  path: string;
  description: string;
}

/** Names that Raspberry Pi OS gives to the UART on the pins of its header, whichever it is. */
const ALIASES = ['serial0', 'serial1'];

/**
 * Real serial ports. A terminal of the kernel has no device behind it, and a port that the PC's driver only
 * reserves is of type 0 (PORT_UNKNOWN, include/uapi/linux/serial_core.h).
 */
export async function serialPorts(reader: DeviceReader): Promise<SerialPort[]> {
  const real: string[] = [];
  for (const name of await reader.list('/sys/class/tty')) {
    const folder = `/sys/class/tty/${name}`;
    if ((await reader.target(`${folder}/device`)) === undefined) continue;
    const type = await reader.read(`${folder}/type`);
    if (type === '0') continue;
    // Only root may read the type. What the PC's driver reserves hangs on its own platform device.
    const parent = type === undefined ? await reader.target(`${folder}/device/driver`) : undefined;
    if (parent && basename(parent) === 'serial8250') continue;
    real.push(name);
  }
  const names = await stableNames(reader);
  return real.map((name) => {
    const stable = names.get(`/dev/${name}`);
    return stable ? { path: stable, description: name } : { path: `/dev/${name}`, description: '' };
  });
}

/** By the device they lead to. A name made from maker and serial number goes before an alias. */
async function stableNames(reader: DeviceReader): Promise<Map<string, string>> {
  const byId = (await reader.list('/dev/serial/by-id')).map((name) => `/dev/serial/by-id/${name}`);
  const names = new Map<string, string>();
  for (const path of [...byId, ...ALIASES.map((name) => `/dev/${name}`)]) {
    const device = await reader.target(path);
    if (device && device !== path && !names.has(device)) names.set(device, path);
  }
  return names;
}
