import { deepEqual } from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { LocalMachine } from '../../../lib/host/machine';
import { troublesOf } from '../../../lib/host/outlook/troubles';
import { temporaryFolder } from '../../support/temporary';

const DATA = '/var/lib/garua';
const FIRMWARE = '/sys/bus/platform/drivers/raspberrypi-firmware/soc:firmware/get_throttled';
const HWMON = '/sys/class/hwmon/hwmon1';
const ERRORS = '/sys/fs/ext4/mmcblk0p2/errors_count';

const mount = (options: string) =>
  `22 1 179:2 / / ${options},noatime shared:1 - ext4 /dev/mmcblk0p2 ${options}\n`;

describe('what is wrong with a machine', () => {
  const folder = temporaryFolder();
  let count = 0;

  /** The troubles of a Raspberry Pi with these files beside those of a healthy one. */
  async function troubles(files: Record<string, string>): Promise<string[]> {
    const root = folder.join(String(++count));
    const healthy = { '/proc/self/mountinfo': mount('rw'), [ERRORS]: '0\n' };
    for (const [path, text] of Object.entries({ ...healthy, ...files })) {
      mkdirSync(dirname(root + path), { recursive: true });
      writeFileSync(root + path, text);
    }
    return troublesOf(new LocalMachine(root), DATA);
  }

  it('is nothing on a healthy one, or one that had trouble before', async () => {
    deepEqual(await troubles({}), []);
    deepEqual(await troubles({ [FIRMWARE]: '50000\n' }), []);
    deepEqual(await troubles({ [`${HWMON}/name`]: 'rpi_volt\n', [`${HWMON}/in0_lcrit_alarm`]: '0\n' }), []);
  });

  it('is a voltage that is too low, by the firmware or by the kernel', async () => {
    const low = ['the supply voltage is too low'];
    deepEqual(await troubles({ [FIRMWARE]: '50005\n' }), low);
    deepEqual(await troubles({ [`${HWMON}/name`]: 'rpi_volt\n', [`${HWMON}/in0_lcrit_alarm`]: '1\n' }), low);
  });

  it('is a disk that fails', async () => {
    deepEqual(await troubles({ [ERRORS]: '3\n', '/proc/self/mountinfo': mount('ro') }), [
      '/ can only be read',
      'the file system on mmcblk0p2 has 3 errors on record',
    ]);
  });
});
