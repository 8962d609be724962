import { type Plot, type PlotGroup, toSvg } from './plot';
import type { CaseResult, PullsResult } from './result';
import { median } from './statistics';
import { STRATEGIES } from './techniques';

/** Slower links only show the wire, and would flatten all else on one axis. */
const COMPARED: Record<string, string> = {
  'loopback-tmpfs': 'loopback, tmpfs',
  'loopback-disk': 'loopback, disk',
  'four-layers-loopback': 'loopback, disk, 4 layers',
  'link-100mbit': '100 Mbit/s',
  'four-layers-100mbit': '100 Mbit/s, 4 layers',
};

const TECHNIQUES: Record<string, string> = {
  'techniques-loopback': 'loopback, disk',
  'techniques-tmpfs': 'loopback, tmpfs',
  'techniques-100mbit': '100 Mbit/s',
};

const WIRE = 'wire (curl)';
const AXIS = 'seconds to pull and unpack (median; line: fastest to slowest run)';

/** The drawings that the results so far allow, by file name. */
export function drawPlots(results: CaseResult[]): Record<string, string> {
  const plots: Record<string, Plot> = {
    'pull.svg': {
      title: 'Pulling an image, side by side',
      axis: AXIS,
      series: ['garua', 'docker', 'podman', 'containerd', WIRE],
      reference: WIRE,
      groups: groups(results, COMPARED),
    },
    'techniques.svg': {
      title: 'What each technique gains',
      axis: AXIS,
      series: [...Object.keys(STRATEGIES), WIRE],
      reference: WIRE,
      groups: groups(results, TECHNIQUES),
    },
  };
  const drawn = Object.entries(plots).filter(([, plot]) => plot.groups.length > 0);
  return Object.fromEntries(drawn.map(([file, plot]) => [file, toSvg(plot)]));
}

function groups(results: CaseResult[], wanted: Record<string, string>): PlotGroup[] {
  const found: PlotGroup[] = [];
  for (const [name, label] of Object.entries(wanted)) {
    const result = results.find((candidate): candidate is PullsResult => {
      return candidate.kind === 'pulls' && candidate.name === name;
    });
    const rows = result?.rows.filter(({ samples }) => samples.length > 0) ?? [];
    if (rows.length === 0) continue;
    found.push({
      label,
      bars: rows.map(({ puller, samples }) => {
        const seconds = samples.map((sample) => sample.seconds);
        return {
          series: puller,
          value: median(seconds),
          low: Math.min(...seconds),
          high: Math.max(...seconds),
        };
      }),
    });
  }
  return found;
}
