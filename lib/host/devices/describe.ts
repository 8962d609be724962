import { basename, dirname } from 'node:path';
import type { DeviceKind, DeviceReader } from './device';

/** One way devices are named: what matches is of this kind, and `describe` says more about it. */
export interface Rule {
  kind: DeviceKind;
  /** Below /dev. */
  folder: string;
  pattern: RegExp;
  describe(reader: DeviceReader, name: string): Promise<string | undefined>;
}

const says = (text: string) => async () => text;
const file = (path: (name: string) => string) => (reader: DeviceReader, name: string) =>
  reader.read(path(name));

/** Devices by the folder and the name they have below /dev (kernel documentation, admin-guide/devices.txt). */
export const RULES: readonly Rule[] = [
  { kind: 'gpio', folder: '', pattern: /^gpiochip\d+$/, describe: gpioChip },
  { kind: 'gpio', folder: '', pattern: /^gpiomem\d*$/, describe: says('GPIO registers') },
  {
    kind: 'i2c',
    folder: '',
    pattern: /^i2c-\d+$/,
    describe: file((name) => `/sys/class/i2c-dev/${name}/name`),
  },
  { kind: 'spi', folder: '', pattern: /^spidev\d+\.\d+$/, describe: spiDevice },
  {
    kind: 'camera',
    folder: '',
    pattern: /^video\d+$/,
    describe: file((name) => `/sys/class/video4linux/${name}/name`),
  },
  {
    kind: 'camera',
    folder: '',
    pattern: /^media\d+$/,
    describe: file((name) => `/sys/bus/media/devices/${name}/model`),
  },
  {
    kind: 'audio',
    folder: 'snd',
    pattern: /^(?:controlC|pcmC|midiC|hwC)\d+|^(?:timer|seq)$/,
    describe: sound,
  },
  { kind: 'usb', folder: '', pattern: /^hidraw\d+$/, describe: hidDevice },
  { kind: 'graphics', folder: 'dri', pattern: /^(?:card|renderD)\d+$/, describe: driver('drm') },
  {
    kind: 'graphics',
    folder: '',
    pattern: /^fb\d+$/,
    describe: file((name) => `/sys/class/graphics/${name}/name`),
  },
  { kind: 'graphics', folder: '', pattern: /^(?:vchiq|vcio|vc-mem)$/, describe: says('VideoCore') },
  {
    kind: 'other',
    folder: '',
    pattern: /^iio:device\d+$/,
    describe: file((name) => `/sys/bus/iio/devices/${name}/name`),
  },
  { kind: 'other', folder: '', pattern: /^rtc\d+$/, describe: file((name) => `/sys/class/rtc/${name}/name`) },
  {
    kind: 'other',
    folder: '',
    pattern: /^(?:apex_|hailo)\d+$/,
    describe: says('neural network accelerator'),
  },
  {
    kind: 'other',
    folder: '',
    pattern: /^hwrng$/,
    describe: file(() => '/sys/class/misc/hw_random/rng_current'),
  },
  { kind: 'other', folder: '', pattern: /^kvm$/, describe: says('virtual machines') },
  { kind: 'other', folder: '', pattern: /^fuse$/, describe: says('file systems in user space') },
  { kind: 'other', folder: 'net', pattern: /^tun$/, describe: says('network tunnels') },
];

/** The label stands at the chip's older sysfs entry, which has the number of its first line in its name. */
async function gpioChip(reader: DeviceReader, name: string): Promise<string | undefined> {
  const chip = await reader.target(`/sys/bus/gpio/devices/${name}`);
  if (!chip) return undefined;
  for (const entry of await reader.list('/sys/class/gpio')) {
    if (!entry.startsWith('gpiochip')) continue;
    const legacy = await reader.target(`/sys/class/gpio/${entry}`);
    if (legacy && dirname(dirname(legacy)) === dirname(chip)) {
      return reader.read(`/sys/class/gpio/${entry}/label`);
    }
  }
  return basename(dirname(chip));
}

async function spiDevice(_reader: DeviceReader, name: string): Promise<string> {
  const [bus, chip] = name.slice('spidev'.length).split('.');
  return `bus ${bus}, chip select ${chip}`;
}

async function sound(reader: DeviceReader, name: string): Promise<string | undefined> {
  const card = /C(\d+)/.exec(name)?.[1];
  if (card === undefined) return undefined;
  const id = await reader.read(`/sys/class/sound/card${card}/id`);
  const use = { c: 'recording', p: 'playing' }[/D\d+([cp])$/.exec(name)?.[1] ?? ''];
  return [id, use].filter(Boolean).join(', ');
}

async function hidDevice(reader: DeviceReader, name: string): Promise<string | undefined> {
  const events = await reader.read(`/sys/class/hidraw/${name}/device/uevent`);
  return /^HID_NAME=(.*)$/m.exec(events ?? '')?.[1];
}

function driver(group: string) {
  return async (reader: DeviceReader, name: string): Promise<string | undefined> => {
    const path = await reader.target(`/sys/class/${group}/${name}/device/driver`);
    return path && basename(path);
  };
}
