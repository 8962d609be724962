import type { WindowType } from '../stream';
import { count } from './count';
import { hopping } from './hopping';
import { session } from './session';
import { sliding } from './sliding';
import type { StrategyContext, WindowStrategy } from './strategy';
import { tumbling } from './tumbling';

export type { WindowStrategy } from './strategy';

const STRATEGIES: Record<WindowType, (context: StrategyContext) => WindowStrategy> = {
  tumbling,
  hopping,
  sliding,
  session,
  count,
};

export function makeStrategy(context: StrategyContext): WindowStrategy {
  return STRATEGIES[context.spec.type](context);
}
