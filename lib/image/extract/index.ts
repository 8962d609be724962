export { LayerBreakoutError, LayerCorruptError, LayerUnsupportedError } from './errors';
export { type ExtractSummary, LayerExtractor, type LayerExtractorOptions } from './extractor';
export { createLayerFolder } from './folder';
