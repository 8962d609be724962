import { AlignedWindows } from './aligned-windows';
import type { StrategyContext, WindowStrategy } from './strategy';

/** Windows of one size, a new one every `slide`: an event is in about size / slide of them. */
export function hopping(context: StrategyContext): WindowStrategy {
  const { size, slide, offset } = context.spec;
  return new AlignedWindows(context, { size, slide, offset });
}
