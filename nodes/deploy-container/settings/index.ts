export type { DeployContainerDef } from './definition';
export { ACTIONS, type Action, actionOf, deployRequest, forbiddenOverrides, nameOf } from './overrides';
export { type DeploySettings, readSettings } from './settings';
