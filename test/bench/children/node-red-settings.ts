import { writeFileSync } from 'node:fs';
import { EventLoopMeter } from '../harness/event-loop';

/**
 * Settings of a Node-RED that the benchmark starts. The flow calls `take` through the global context; the
 * meter lives in this process, so it sees what every flow and the editor see.
 */
const meter = new EventLoopMeter();
const phases: Record<string, unknown> = {};

function take(phase: string, detail?: unknown): void {
  phases[phase] = { ...meter.take(), detail };
  writeFileSync(process.env.GARUA_BENCH_REPORT!, JSON.stringify(phases));
}

module.exports = {
  uiHost: '127.0.0.1',
  uiPort: Number(process.env.GARUA_BENCH_PORT),
  flowFile: 'flows.json',
  credentialSecret: 'benchmark',
  telemetry: { enabled: false },
  editorTheme: { tours: false, palette: { catalogues: [] } },
  logging: { console: { level: 'info' } },
  functionGlobalContext: { take },
};
