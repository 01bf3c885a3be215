import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { createProgram } from '../src/cli.js';
import type { Invocation } from '../src/commands/invocation.js';
import { aptEnvs, isLive, storePath } from '../src/config/apt-env.js';
import { settings, settingKeys } from '../src/config/settings.js';
import { blockOf, resourcesOf, template, textOf } from './support/ecs-template.js';

const dockerfile = await readFile(new URL('../Dockerfile', import.meta.url), 'utf8');

/** Returns the container's environment: names, and values that are no references. */
function environment(): Record<string, string> {
  const [, container = ''] = blockOf('ContainerDefinitions').split(/^ +Environment:$/m);
  const pairs = [...container.matchAll(/- Name: (\S+)\n +Value: (.+)$/gm)];
  return Object.fromEntries(pairs.map(([, name = '', value = '']) => [name, value]));
}

function numberOf(key: string): number {
  return Number(new RegExp(`^ +${key}: (\\d+)$`, 'm').exec(template)?.[1]);
}

test('the template sets only settings that exist, none of them secret', () => {
  const names = Object.keys(environment());
  expect(names.length).toBeGreaterThan(3);
  expect(settingKeys).toEqual(expect.arrayContaining(names));
  expect(names.filter((name) => name.startsWith('DB_'))).toEqual([]);
  expect(template).not.toMatch(/^ +Secrets:/m);
});

test('the template has the live environments, each with the path that the program reads', () => {
  const mapped = [...blockOf('ParameterPath').matchAll(/(\w+): \{ Name: (\w+) \}/g)].map(
    ([, environmentName = '', name = '']) => [environmentName, `/${name}/REGISTRY/`],
  );
  const live = aptEnvs.filter(isLive).map((aptEnv) => [aptEnv, storePath(aptEnv, undefined)]);
  expect(Object.fromEntries(mapped)).toEqual(Object.fromEntries(live));
  expect(blockOf('Environment')).toContain(
    `AllowedValues: [${mapped.map(([name]) => name).join(', ')}]`,
  );
});

test('a stop takes less time than the template and Spot allow', () => {
  const shutdownMs = settings.SHUTDOWN_TIMEOUT.schema.parse(environment()['SHUTDOWN_TIMEOUT']);
  const defaultMs = settings.SHUTDOWN_TIMEOUT.schema.parse(settings.SHUTDOWN_TIMEOUT.default);
  const stopMs = numberOf('StopTimeout') * 1000;
  // Cancelling may take 3 s, closing the pool as well, and the last notifications 2 s.
  expect(stopMs).toBeGreaterThan(Math.max(shutdownMs, defaultMs) + 8_000);
  expect(stopMs).toBeLessThanOrEqual(120_000);
});

test('the health check is a real command, the same as in the image', async () => {
  const [, list = ''] = /Command: \[(.+)\]/.exec(blockOf('HealthCheck')) ?? [];
  const [kind, ...command] = list.split(', ');
  const program = await createProgram({} as Invocation);
  expect(kind).toBe('CMD');
  expect(dockerfile).toContain(`CMD ["${command.join('", "')}"]`);
  expect(program.commands.map((known) => known.name())).toContain(command.at(-1));
  expect(numberOf('Timeout')).toBeLessThan(numberOf('Interval'));
});

test('the container cannot write or gain privileges, and receives signals', () => {
  const container = blockOf('ContainerDefinitions');
  const [, user = ''] = /^USER (\S+)$/m.exec(dockerfile) ?? [];
  expect(container).toContain(`User: '${user}'`);
  expect(container).toContain('ReadonlyRootFilesystem: true');
  expect(container).toContain('InitProcessEnabled: true');
  const dropped = [...blockOf('Drop').matchAll(/- (\w+)/g)].map(([, name]) => name);
  expect(dropped).toHaveLength(13);
  expect(dropped).not.toContain('KILL');
});

test('every alarm has a metric of the template or of ECS, and sends its change to the topic', () => {
  const filters = resourcesOf('AWS::Logs::MetricFilter').map(({ block }) => block);
  const made = filters.map((block) => textOf(block, 'MetricName'));
  const alarms = resourcesOf('AWS::CloudWatch::Alarm');
  const own = alarms.filter(({ block }) => !block.includes('Namespace: AWS/ECS'));

  expect(alarms.map(({ name }) => name)).toEqual([
    'JobFailing',
    'RunsMissing',
    'Drift',
    'NotVerified',
    'NotRunning',
  ]);
  expect(own.map(({ block }) => textOf(block, 'MetricName')).sort()).toEqual(made.sort());
  for (const { block } of alarms) {
    expect(block.match(/(Alarm|OK)Actions: !If \[HasTopic, \[!Ref AlarmTopicArn\]/g)).toHaveLength(
      2,
    );
  }
});

test('the status port of the template is that of the program, closed unless clients are named', () => {
  expect(settings.STATUS_PORT.default).toBe('9310');
  expect(environment()['STATUS_PORT']).toBeUndefined();
  expect(environment()['STATUS_HOST']).toBe('!If [HasStatusClients, 0.0.0.0, 127.0.0.1]');
  expect(blockOf('StatusTargetGroup')).toContain('HealthCheckPath: /live');
  for (const key of ['FromPort', 'ToPort', 'ContainerPort', ' Port']) {
    const ports = [...template.matchAll(new RegExp(`${key}: (\\d+)$`, 'gm'))].map(
      ([, port]) => port,
    );
    expect([key, new Set(ports)]).toEqual([key, new Set(['9310'])]);
  }
});

test('the image has its bill of materials, and no package manager', () => {
  const [, build = ''] = /^FROM manifest AS dependencies\n([^]+?)\n\n/m.exec(dockerfile) ?? [];
  expect(build).toContain('npm ci --omit=dev --omit=optional --ignore-scripts');
  expect(build).toContain('npm sbom --sbom-format=cyclonedx > sbom.cdx.json');
  const last = dockerfile.slice(dockerfile.lastIndexOf('\nFROM '));
  expect(last).toContain('COPY --from=dependencies /app/sbom.cdx.json');
  expect(last).toMatch(/rm -rf \/usr\/local\/lib\/node_modules/);
});

test('the program starts without the files that the image lacks', async () => {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const folder = await mkdtemp(path.join(tmpdir(), 'registry-stats-image-'));
  try {
    for (const name of ['dist', 'sql', 'package.json']) {
      await cp(path.join(root, name), path.join(folder, name), { recursive: true });
    }
    await symlink(path.join(root, 'node_modules'), path.join(folder, 'node_modules'));
    const removed = [...dockerfile.matchAll(/rm -rf (dist\S*)/g)].map(([, name = '']) => name);
    expect(removed).toEqual(['dist/dev/embedded']);
    for (const name of removed) await rm(path.join(folder, name), { recursive: true });

    const main = path.join(folder, 'dist/main.js');
    const { stdout } = await promisify(execFile)(process.execPath, [main, '--help']);
    expect(stdout).toContain('Usage: registry-stats');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
