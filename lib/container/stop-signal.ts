import { constants } from 'node:os';

const SIGRTMIN = 34;
const LAST_SIGNAL = 64;

/** The number of an image's StopSignal: `SIGQUIT`, `QUIT`, `3` or `SIGRTMIN+3`; SIGTERM when it is none. */
export function stopSignalNumber(text: string | undefined): number {
  const name = (text ?? '').toUpperCase().replace(/^SIG/, '');
  const realTime = /^RTMIN\+(\d+)$/.exec(name)?.[1];
  const number = realTime
    ? SIGRTMIN + Number(realTime)
    : /^\d+$/.test(name)
      ? Number(name)
      : constants.signals[`SIG${name}` as NodeJS.Signals];
  return number >= 1 && number <= LAST_SIGNAL ? number : constants.signals.SIGTERM;
}
