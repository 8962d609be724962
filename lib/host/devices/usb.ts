import type { DeviceReader } from './device';

/** A device on a USB bus, by the path that a program such as libusb opens. It changes when plugged in anew. */
export interface UsbDevice {
  path: string;
  description: string;
}

/** USB devices other than hubs, whose class is 9 (USB.org, "Defined Class Codes"). */
export async function usbDevices(reader: DeviceReader): Promise<UsbDevice[]> {
  const found: UsbDevice[] = [];
  for (const name of await reader.list('/sys/bus/usb/devices')) {
    const read = (file: string) => reader.read(`/sys/bus/usb/devices/${name}/${file}`);
    const [bus, device] = [await read('busnum'), await read('devnum')];
    if (!bus || !device || (await read('bDeviceClass')) === '09') continue;
    const words = [await read('manufacturer'), await read('product')].filter(Boolean);
    const path = ['/dev/bus/usb', ...[bus, device].map((number) => number.padStart(3, '0'))].join('/');
    found.push({
      path,
      description: words.join(' ') || `${await read('idVendor')}:${await read('idProduct')}`,
    });
  }
  return found;
}
