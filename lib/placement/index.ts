export * from './errors';
export { type GeneratorOptions, randomModel } from './generate';
export { evaluatePlacement } from './model/evaluate';
export { parsePlacementModel, parsePlacementText } from './model/parse';
export * from './placement';
export { place } from './solve/place';
