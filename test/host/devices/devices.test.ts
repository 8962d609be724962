import { deepEqual, equal } from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { DEVICE_KINDS, findDevices } from '../../../lib/host/devices';
import { thisMachine } from '../../../lib/host/devices/this-machine';
import { temporaryFolder } from '../../support/temporary';
import { fixture, raspberryPi4 } from './fixtures';

describe('findDevices', () => {
  it('finds what a Raspberry Pi offers, and nothing else', async () => {
    const found = await findDevices(raspberryPi4);
    deepEqual(
      found.map(({ path, kind, group, description }) => [kind, path, group, description].join(' | ')),
      [
        'gpio | /dev/gpiochip0 | gpio | pinctrl-bcm2711',
        'gpio | /dev/gpiochip1 | gpio | expander',
        'gpio | /dev/gpiomem | gpio | GPIO registers',
        'i2c | /dev/i2c-1 | i2c | bcm2835 (i2c@7e804000)',
        'i2c | /dev/i2c-10 | i2c | ',
        'spi | /dev/spidev0.0 | spi | bus 0, chip select 0',
        'spi | /dev/spidev0.1 | spi | bus 0, chip select 1',
        'serial | /dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0 | dialout | ttyUSB0',
        'serial | /dev/serial0 | dialout | ttyAMA0',
        'camera | /dev/video0 | video | unicam-image',
        'camera | /dev/video10 | video | bcm2835-codec-decode',
        'audio | /dev/snd/controlC0 | audio | Headphones',
        'audio | /dev/snd/pcmC0D0p | audio | Headphones, playing',
        'usb | /dev/bus/usb/001/003 | plugdev | FTDI FT232R USB UART',
        'graphics | /dev/vchiq | video | VideoCore',
      ],
    );
  });

  it('leaves out the ports that a PC only reserves, with and without the right to read their type', async () => {
    const port = (name: string, driver: string, type?: string) => ({
      [`/dev/${name}`]: { group: 'dialout' },
      [`/sys/class/tty/${name}/device/driver`]: { link: `/sys/bus/drivers/${driver}` },
      [`/sys/bus/drivers/${driver}/uevent`]: '',
      ...(type === undefined ? {} : { [`/sys/class/tty/${name}/type`]: type }),
    });
    const paths = async (entries: Parameters<typeof fixture>[0]) =>
      (await findDevices(fixture(entries))).map(({ path }) => path);
    const asRoot = { ...port('ttyS0', 'serial', '4'), ...port('ttyS1', 'serial8250', '0') };
    deepEqual(await paths(asRoot), ['/dev/ttyS0']);
    deepEqual(await paths({ ...port('ttyS0', 'serial'), ...port('ttyS1', 'serial8250') }), ['/dev/ttyS0']);
  });

  it('is content with a machine that has none', async () => deepEqual(await findDevices(fixture({})), []));

  it('looks at this machine', async () => {
    for (const { path, kind, group } of await findDevices()) {
      equal(path.startsWith('/dev/'), true);
      equal(DEVICE_KINDS.includes(kind), true);
      equal(/^[\w-]+$/.test(group), true);
    }
  });
});

describe('the reader of this machine', () => {
  const folder = temporaryFolder();

  it('knows devices from files, their groups, and where links lead', async () => {
    execFileSync('mknod', [folder.join('device'), 'c', '1', '3']);
    mkdirSync(folder.join('folder'));
    symlinkSync('device', folder.join('link'));
    const reader = thisMachine();
    equal(await reader.group(folder.join('link')), 'root');
    equal(await reader.group(folder.join('folder')), undefined);
    equal(await reader.group(folder.join('nothing')), undefined);
    equal(await reader.target(folder.join('link')), folder.join('device'));
    deepEqual(await reader.list(folder.path), ['device', 'folder', 'link']);
    deepEqual(await reader.list(folder.join('nothing')), []);
    equal(await reader.read('/proc/sys/kernel/ostype'), 'Linux');
  });
});
