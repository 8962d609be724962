import { posix } from 'node:path';
import type { DeviceReader } from '../../../lib/host/devices';

/** `group`: a device node of that group; `link`: a symbolic link; else a file with text. */
type Entry = string | { group: string } | { link: string };

/** A machine made of paths. Folders are there where something lies in them. */
export function fixture(entries: Record<string, Entry>): DeviceReader {
  const follow = (path: string, depth = 0): string | undefined => {
    if (depth > 20) return undefined;
    const parts = path.split('/').slice(1);
    for (let count = 1; count <= parts.length; count += 1) {
      const here = `/${parts.slice(0, count).join('/')}`;
      const entry = entries[here];
      if (typeof entry === 'object' && 'link' in entry) {
        const target = posix.resolve(posix.dirname(here), entry.link);
        return follow(posix.join(target, ...parts.slice(count)), depth + 1);
      }
    }
    const exists = Object.keys(entries).some((other) => other === path || other.startsWith(`${path}/`));
    return exists ? path : undefined;
  };
  return {
    async list(folder) {
      const place = follow(folder);
      const inside = Object.keys(entries).filter((path) => place && path.startsWith(`${place}/`));
      return [...new Set(inside.map((path) => path.slice(place!.length + 1).split('/')[0]!))].sort();
    },
    async read(path) {
      const entry = entries[follow(path) ?? ''];
      return typeof entry === 'string' ? entry : undefined;
    },
    target: async (path) => follow(path),
    async group(path) {
      const entry = entries[follow(path) ?? ''];
      return typeof entry === 'object' && 'group' in entry ? entry.group : undefined;
    },
  };
}

/** What a Raspberry Pi 4 with Raspberry Pi OS (kernel 6.6), its camera and a USB serial adapter has. */
export const raspberryPi4 = fixture({
  '/dev/gpiochip0': { group: 'gpio' },
  '/dev/gpiochip1': { group: 'gpio' },
  '/dev/gpiomem': { group: 'gpio' },
  '/dev/i2c-1': { group: 'i2c' },
  '/dev/i2c-10': { group: 'i2c' },
  '/dev/spidev0.0': { group: 'spi' },
  '/dev/spidev0.1': { group: 'spi' },
  '/dev/video0': { group: 'video' },
  '/dev/video10': { group: 'video' },
  '/dev/snd/controlC0': { group: 'audio' },
  '/dev/snd/pcmC0D0p': { group: 'audio' },
  '/dev/snd/by-path/platform-soc': { link: '../controlC0' },
  '/dev/ttyAMA0': { group: 'dialout' },
  '/dev/ttyUSB0': { group: 'dialout' },
  '/dev/ttyS0': { group: 'dialout' },
  '/dev/tty1': { group: 'tty' },
  '/dev/serial0': { link: 'ttyAMA0' },
  '/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0': { link: '../../ttyUSB0' },
  '/dev/mmcblk0': { group: 'disk' },
  '/dev/mem': { group: 'kmem' },
  '/dev/vchiq': { group: 'video' },
  '/dev/rtc': 'not a device',
  '/dev/bus/usb/001/002': { group: 'root' },
  '/dev/bus/usb/001/003': { group: 'plugdev' },
  '/sys/bus/gpio/devices/gpiochip0': { link: '/sys/devices/platform/soc/fe200000.gpio/gpiochip0' },
  '/sys/bus/gpio/devices/gpiochip1': { link: '/sys/devices/platform/soc/firmware/expander/gpiochip1' },
  '/sys/devices/platform/soc/fe200000.gpio/gpiochip0/uevent': '',
  '/sys/devices/platform/soc/firmware/expander/gpiochip1/uevent': '',
  '/sys/class/gpio/gpiochip512': { link: '/sys/devices/platform/soc/fe200000.gpio/gpio/gpiochip512' },
  '/sys/devices/platform/soc/fe200000.gpio/gpio/gpiochip512/label': 'pinctrl-bcm2711',
  '/sys/class/i2c-dev/i2c-1/name': 'bcm2835 (i2c@7e804000)',
  '/sys/class/video4linux/video0/name': 'unicam-image',
  '/sys/class/video4linux/video10/name': 'bcm2835-codec-decode',
  '/sys/class/sound/card0/id': 'Headphones',
  '/sys/class/tty/ttyAMA0/device': { link: '/sys/devices/platform/soc/fe201000.serial' },
  '/sys/class/tty/ttyAMA0/type': '32',
  '/sys/devices/platform/soc/fe201000.serial/uevent': '',
  '/sys/class/tty/ttyUSB0/device': { link: '/sys/devices/platform/soc/usb1/1-1.2/ttyUSB0' },
  '/sys/devices/platform/soc/usb1/1-1.2/ttyUSB0/uevent': '',
  '/sys/class/tty/ttyS0/device': { link: '/sys/devices/platform/serial8250' },
  '/sys/class/tty/ttyS0/type': '0',
  '/sys/devices/platform/serial8250/uevent': '',
  '/sys/class/tty/tty1/active': 'tty1',
  '/sys/bus/usb/devices/1-1/busnum': '1',
  '/sys/bus/usb/devices/1-1/devnum': '2',
  '/sys/bus/usb/devices/1-1/bDeviceClass': '09',
  '/sys/bus/usb/devices/1-1.2/busnum': '1',
  '/sys/bus/usb/devices/1-1.2/devnum': '3',
  '/sys/bus/usb/devices/1-1.2/bDeviceClass': '00',
  '/sys/bus/usb/devices/1-1.2/manufacturer': 'FTDI',
  '/sys/bus/usb/devices/1-1.2/product': 'FT232R USB UART',
});
