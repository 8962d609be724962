/** What a device is for; the dialog groups them by it. */
export const DEVICE_KINDS = [
  'gpio',
  'i2c',
  'spi',
  'serial',
  'camera',
  'audio',
  'usb',
  'graphics',
  'other',
] as const;
export type DeviceKind = (typeof DEVICE_KINDS)[number];

/** A device of the host that a container can be given. */
export interface HostDevice {
  /** The name that stays the same when it is plugged in again, where there is one. */
  path: string;
  kind: DeviceKind;
  /** The group that may use it, such as `gpio` or `dialout`; a number when it has no name. */
  group: string;
  /** What the kernel says it is; empty when it says nothing. */
  description: string;
}

/** What the search for devices may look at: this machine, or a fixture of another. */
export interface DeviceReader {
  /** Names in a folder, sorted; none when it cannot be read. */
  list(folder: string): Promise<string[]>;
  /** The trimmed text of a file, or undefined. */
  read(path: string): Promise<string | undefined>;
  /** Where a path leads once all symbolic links are followed, or undefined. */
  target(path: string): Promise<string | undefined>;
  /** The group of a character or block device, links followed; undefined for everything else. */
  group(path: string): Promise<string | undefined>;
}
