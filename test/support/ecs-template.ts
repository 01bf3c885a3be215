import { readFile } from 'node:fs/promises';

export const template = await readFile(new URL('../../deploy/ecs.yaml', import.meta.url), 'utf8');

/** Returns the lines below a key. We have no YAML parser among our dependencies. */
export function blockOf(key: string): string {
  const lines = template.split('\n');
  const start = lines.findIndex((line) => line.trimStart() === `${key}:`);
  if (start < 0) throw new Error(`expected ${key} in deploy/ecs.yaml`);
  const depth = lines[start]?.search(/\S/) ?? 0;
  const end = lines.findIndex(
    (line, index) => index > start && line.trim() !== '' && line.search(/\S/) <= depth,
  );
  return lines.slice(start + 1, end < 0 ? undefined : end).join('\n');
}

/** Returns the text of a key in a block; a text of several lines is joined. */
export function textOf(block: string, key: string): string {
  const [, text = ''] = new RegExp(`\\b${key}:(?: >-\\n)?\\s+(.+)$`, 'm').exec(block) ?? [];
  return text.replace(/^'(.*)'$/, '$1');
}

export interface Resource {
  readonly name: string;
  readonly block: string;
}

/** Returns the resources of one type, such as AWS::CloudWatch::Alarm. */
export function resourcesOf(type: string): Resource[] {
  const pattern = new RegExp(`^  (\\w+):\\n    Type: ${type}$`, 'gm');
  return [...template.matchAll(pattern)].map(([, name = '']) => ({ name, block: blockOf(name) }));
}
