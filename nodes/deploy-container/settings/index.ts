export type { DeployContainerDef } from './definition';
export {
  ACTIONS,
  type Action,
  actionOf,
  type DeployRequest,
  deployRequest,
  forbiddenOverrides,
  nameOf,
} from './overrides';
export type { Scale } from './scale';
export { type DeploySettings, readSettings } from './settings';
export { commandWords } from './words';
