import { AlignedWindows } from './aligned-windows';
import type { StrategyContext, WindowStrategy } from './strategy';

/** Windows that follow each other without gap or overlap. */
export function tumbling(context: StrategyContext): WindowStrategy {
  const { size, offset } = context.spec;
  return new AlignedWindows(context, { size, slide: size, offset });
}
