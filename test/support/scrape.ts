/** The samples of a scrape: name and labels to value. */
export type Samples = ReadonlyMap<string, number>;

/** Parses Prometheus's text format. */
export function parseSamples(text: string): Samples {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(' ');
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

/** Returns the names and types of all declared metrics. */
export function declaredMetrics(text: string): Map<string, string> {
  return new Map(
    [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]),
  );
}

export async function scrape(statusUrl: string): Promise<{ status: number; samples: Samples }> {
  const response = await fetch(`${statusUrl}/metrics`);
  return { status: response.status, samples: parseSamples(await response.text()) };
}
