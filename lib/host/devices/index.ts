import { RULES } from './describe';
import { DEVICE_KINDS, type DeviceKind, type DeviceReader, type HostDevice } from './device';
import { serialPorts } from './serial';
import { byNumber, thisMachine } from './this-machine';
import { usbDevices } from './usb';

export { DEVICE_KINDS, type DeviceKind, type DeviceReader, type HostDevice } from './device';

/**
 * The devices of a machine that a container may want: pins, buses, ports, cameras, sound. Disks, terminals and
 * memory are left out; whoever wants one of those knows its path. Ordered by kind, then by path.
 */
export async function findDevices(reader: DeviceReader = thisMachine()): Promise<HostDevice[]> {
  const found: HostDevice[] = [];
  const add = async (path: string, kind: DeviceKind, description: string | undefined) => {
    const group = await reader.group(path);
    if (group !== undefined) found.push({ path, kind, group, description: description ?? '' });
  };
  for (const folder of new Set(RULES.map((rule) => rule.folder))) {
    const place = folder ? `/dev/${folder}` : '/dev';
    for (const name of await reader.list(place)) {
      const rule = RULES.find((candidate) => candidate.folder === folder && candidate.pattern.test(name));
      if (rule) await add(`${place}/${name}`, rule.kind, await rule.describe(reader, name));
    }
  }
  for (const { path, description } of await serialPorts(reader)) await add(path, 'serial', description);
  for (const { path, description } of await usbDevices(reader)) await add(path, 'usb', description);
  const order = (device: HostDevice) => DEVICE_KINDS.indexOf(device.kind);
  return found.sort((one, other) => order(one) - order(other) || byNumber(one.path, other.path));
}
