import { parseArgs } from 'node:util';

/** The parts of the benchmark, in their order. */
const parts = [
  'history',
  'refresh',
  'readers',
  'writes',
  'writers',
  'daemon',
  'scale',
  'pace',
] as const;
export type Part = (typeof parts)[number];

export interface BenchOptions {
  readonly files: number;
  readonly events: number;
  /** Repetitions of a measurement; slow ones have fewer. */
  readonly repetitions: number;
  /** The caller's server, as a superuser; by default an embedded one. */
  readonly url: string | undefined;
  /** The part to measure; all unless given. */
  readonly only: Part | undefined;
  readonly json: string | undefined;
  readonly svg: string | undefined;
  /** Keeps the databases. A later run with it reuses their baselines. */
  readonly keep: boolean;
}

export const usage = `npm run bench -- [options]

  --files <n>        rows of generic_files in the large pair of databases (200000)
  --events <n>       rows of premis_events (three times the files)
  --repetitions <n>  how often each quick measurement is made (60)
  --url <url>        server to use, as a superuser; an embedded one unless given
  --only <part>      measure one part: history, refresh, readers, writes, writers,
                     daemon, scale (the incremental side alone, also at a twelfth of the size),
                     or pace (100 changes every ten seconds, for ten minutes)
  --json <file>      write every single measurement
  --svg <file>       write the chart
  --keep             leave the databases in place, and take those of an earlier run`;

/** Returns undefined if help was requested. */
export function parseOptions(argv: string[]): BenchOptions | undefined {
  const { values } = parseArgs({
    args: argv,
    options: {
      files: { type: 'string', default: '200000' },
      events: { type: 'string' },
      repetitions: { type: 'string', default: '60' },
      url: { type: 'string' },
      only: { type: 'string' },
      json: { type: 'string' },
      svg: { type: 'string' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  const files = parseCount('files', values.files);
  return {
    files,
    events: values.events === undefined ? files * 3 : parseCount('events', values.events),
    repetitions: parseCount('repetitions', values.repetitions),
    url: values.url,
    only: values.only === undefined ? undefined : parsePart(values.only),
    json: values.json,
    svg: values.svg,
    keep: values.keep,
  };
}

function parseCount(name: string, text: string): number {
  const count = Number(text);
  if (Number.isSafeInteger(count) && count > 0) return count;
  throw new Error(`--${name}: expected a whole number above 0, found "${text}"`);
}

function parsePart(text: string): Part {
  const part = parts.find((name) => name === text);
  if (part !== undefined) return part;
  throw new Error(`--only: expected one of ${parts.join(', ')}, found "${text}"`);
}
