import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import fastify from 'fastify';
import { expect, onTestFinished, test } from 'vitest';
import type { CronJobs } from '../src/daemon/cron.js';
import { createEvents } from '../src/daemon/events.js';
import { createStatusBoard } from '../src/daemon/status-board.js';
import { jobNames } from '../src/jobs/job.js';
import { openApiDocument, operations, type Operation } from '../src/http/openapi.js';
import { registerRoutes, startStatusServer, type StatusSources } from '../src/http/server.js';
import { csvTables } from '../src/status/csv-tables.js';
import type { Config } from '../src/config/config.js';
import { createMetrics } from '../src/metrics/metrics.js';
import { createStatusReader } from '../src/status/status-reader.js';
import { loadCsv } from './support/load-csv.js';
import { runEachJob } from './support/run-each-job.js';
import { createTestDatabase, type TestDatabase } from './support/test-database.js';

interface Validate {
  (value: unknown): boolean;
  readonly errors?: unknown;
}

/** Fastify's JSON schema validator, for OpenAPI 3.1. */
const Ajv2020 = (() => {
  const { resolve } = createRequire(import.meta.url);
  const ofFastify = createRequire(resolve('fastify'));
  const load = createRequire(ofFastify.resolve('@fastify/ajv-compiler'));
  return (load('ajv/dist/2020.js') as { default: unknown }).default as new (options: object) => {
    addSchema(schema: object, name: string): void;
    addVocabulary(keywords: readonly string[]): void;
    compile(schema: object): Validate;
  };
})();

/** Forbids unknown fields. A client accepts them, this test does not. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const inner = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, closed(value)]),
  );
  return 'properties' in schema ? { ...inner, additionalProperties: false } : inner;
}

const isTime = (text: string): boolean =>
  /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(text) && !Number.isNaN(Date.parse(text));

const ajv = new Ajv2020({
  strict: true,
  allErrors: true,
  formats: { 'date-time': isTime, date: /^\d{4}-\d\d-01$/ },
});
ajv.addVocabulary(['components']);
ajv.addSchema({ $id: 'openapi', components: closed(openApiDocument.components) }, 'openapi');

/** Expects a response that the document describes for its path. */
async function expectDescribed(url: string, path: string, status: number, target = path) {
  const response = await fetch(url + target);
  const found = await response.text();
  expect([target, response.status, found]).toEqual([target, status, expect.any(String)]);
  const [type = ''] = (response.headers.get('content-type') ?? '').split(';');
  const content = operations[path]?.responses[String(status)]?.content[type];
  expect(content, `${target}: ${status} ${type}`).toBeDefined();
  if (type !== 'application/json') return undefined;
  const body: unknown = JSON.parse(found);
  const text = JSON.stringify(content?.schema).replaceAll('"#/', '"openapi#/');
  const validate = ajv.compile(JSON.parse(text) as object);
  expect(validate(body), `${target}: ${JSON.stringify(validate.errors)}\n${found}`).toBe(true);
  return body;
}

const cronJobs = {
  isDatabaseDown: () => false,
  nextRun: () => new Date(),
  nextVerification: () => new Date(),
} as unknown as CronJobs;

const identity = { pid: process.pid, programVersion: '1.2.3' };

/** For responses that do not read the database. */
const noDatabase = {
  database: { options: { connection: { name: 'registry', host: 'localhost' } } },
} as unknown as TestDatabase;

/** Starts the status port on a database, with the daemon's events. */
async function serve({ database }: Pick<TestDatabase, 'database'>, isDatabaseDown = false) {
  const events = createEvents();
  const config = { isMaintenance: false, aptEnv: 'test' };
  const context = { database } as unknown as StatusSources['context'];
  const board = createStatusBoard({ config: config as Config, database, events }, identity);
  board.watch({ ...cronJobs, isDatabaseDown: () => isDatabaseDown });
  const status = createStatusReader(context, board.current);
  const metrics = await createMetrics({ config: config, events }, status);
  const sources = { context, status, metrics };
  const { url, close } = await startStatusServer({ host: '127.0.0.1', port: 0 }, sources);
  onTestFinished(close);
  return { url, events };
}

type Served = Awaited<ReturnType<typeof serve>>;

function finishRuns({ events }: Served): void {
  const common = { trigger: 'signal', startedAt: new Date(), durationMs: 12.5 } as const;
  const results = [
    { outcome: 'refreshed', detail: '2 changes' },
    { outcome: 'skipped', reason: 'unchanged' },
    { outcome: 'skipped', reason: 'complete' },
  ] as const;
  jobNames.forEach((job, index) => {
    const result = results[index] ?? results[0];
    events.emit({
      type: 'run-finished',
      report: { ...common, job, result },
      nextRun: undefined,
    });
  });
}

async function migratedWithRuns(): Promise<TestDatabase> {
  const target = await createTestDatabase('migrated');
  await loadCsv(target.database);
  await runEachJob(target.database);
  await target.query(
    `insert into registry_stats.run (job, trigger, backend_pid, started_at, outcome, finished_at)
    values
      ('update_counts', 'sql', 1, now(), 'crashed', now()),
      ('update_counts', 'schedule', 1, now(), null, null)`,
  );
  await target.query(`update public.work_items set action = 'Delete' where action <> 'Delete'`);
  return target;
}

test('the document has exactly the routes of the status port', () => {
  const server = fastify();
  const routes: [path: string, method: string][] = [];
  server.addHook('onRoute', ({ url, method }) => {
    routes.push([url.replace(/:(\w+)/g, '{$1}'), String(method)]);
  });
  registerRoutes(server, { context: {}, status: {}, metrics: {} } as unknown as StatusSources);
  const described = Object.keys(operations).flatMap((path) => [`GET ${path}`, `HEAD ${path}`]);
  expect(routes.map(([path, method]) => `${method} ${path}`).sort()).toEqual(described.sort());
});

test('every reference of the document has a schema, and every schema is used', () => {
  const text = JSON.stringify(openApiDocument);
  const used = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
  expect([...new Set(used)].sort()).toEqual(Object.keys(openApiDocument.components.schemas).sort());
  const ids = Object.values(operations).map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
});

test('the daemon serves the document itself', async () => {
  const { url } = await serve(noDatabase);
  const body = await expectDescribed(url, '/api/openapi.json', 200);
  expect(body).toEqual(JSON.parse(JSON.stringify(openApiDocument)));
});

test('each response of a running daemon is as described', async () => {
  const served = await serve(await migratedWithRuns());
  const { url } = served;
  await expectDescribed(url, '/ready', 503);
  await expectDescribed(url, '/api/status', 200);
  finishRuns(served);
  for (const path of ['/live', '/ready', '/metrics', '/', '/api/statistics']) {
    await expectDescribed(url, path, 200);
  }
  expect(await expectDescribed(url, '/api/status', 200)).toMatchObject({
    statistics: { mode: 'incremental' },
  });
  expect(await expectDescribed(url, '/api/runs', 200)).toMatchObject({
    isRecorded: true,
    runs: [{ outcome: null }, { outcome: 'crashed' }, {}, {}, {}],
  });
  for (const file of ['index.html', 'style.css', 'icon.svg']) {
    await expectDescribed(url, '/assets/{name}', 200, `/assets/${file}`);
  }
  for (const name of Object.keys(csvTables)) {
    await expectDescribed(url, '/api/csv/{name}', 200, `/api/csv/${name}`);
  }
  await expectDescribed(url, '/api/csv/runs.csv', 200, '/api/csv/runs.csv?outcome=crashed');
  await expectDescribed(url, '/api/csv/runs.csv', 400, '/api/csv/runs.csv?limit=1');
  await expectDescribed(url, '/api/csv/{name}', 404, '/api/csv/constructor');
  await expectDescribed(url, '/assets/{name}', 404, '/assets/none.js');
});

test('each response in the legacy state is as described', async () => {
  const target = await createTestDatabase('baseline');
  await loadCsv(target.database);
  const { url } = await serve(target);
  expect(await expectDescribed(url, '/api/status', 200)).toMatchObject({
    statistics: { mode: 'plain' },
  });
  expect(await expectDescribed(url, '/api/runs', 200)).toMatchObject({ isRecorded: false });
  await expectDescribed(url, '/api/statistics', 200);
});

test('each response during a database outage is as described', async () => {
  const { url } = await serve(noDatabase, true);
  for (const path of ['/ready', '/api/runs', '/api/statistics', '/api/csv/runs.csv']) {
    await expectDescribed(url, path, 503);
  }
  await expectDescribed(url, '/api/csv/{name}', 503, '/api/csv/counts.csv');
  expect(await expectDescribed(url, '/api/status', 200)).toMatchObject({
    statistics: { mode: 'unknown' },
  });
  await expectDescribed(url, '/metrics', 200);
});

/** Returns valid and invalid values of a parameter. */
function examplesOf({ schema }: NonNullable<Operation['parameters']>[number]) {
  const { enum: values, minimum, maximum, default: byDefault } = schema;
  if (Array.isArray(values)) return { good: values as string[], bad: ['other', ''] };
  if (typeof minimum === 'number' && typeof maximum === 'number') {
    return { good: [minimum, byDefault, maximum], bad: [minimum - 1, maximum + 1, 'x'] };
  }
  return { good: ['0', '9'.repeat(18)], bad: ['9'.repeat(19), '-1', 'x', ''] };
}

test('the parameters of /api/runs accept only the described values', async () => {
  const { url } = await serve(await createTestDatabase('migrated'));
  const parameters = operations['/api/runs']?.parameters ?? [];
  expect(parameters.map(({ name }) => name)).toEqual(['job', 'outcome', 'limit', 'before']);
  for (const parameter of parameters) {
    const { good, bad } = examplesOf(parameter);
    for (const value of good) {
      const target = `/api/runs?${parameter.name}=${String(value)}`;
      await expectDescribed(url, '/api/runs', 200, target);
    }
    for (const value of bad) {
      await expectDescribed(url, '/api/runs', 400, `/api/runs?${parameter.name}=${value}`);
    }
  }
  await expectDescribed(url, '/api/runs', 400, '/api/runs?order=id');
});

test('docs/http-api.md names every path and every field, and no other path', async () => {
  const text = await readFile(new URL('../docs/http-api.md', import.meta.url), 'utf8');
  const listed = [...text.matchAll(/^### `([^`]+)`$/gm)].map(([, path]) => path);
  expect(listed).toEqual(Object.keys(operations));
  const fields = Object.values(openApiDocument.components.schemas).flatMap((schema) =>
    Object.keys((schema as { properties?: object }).properties ?? {}),
  );
  expect([...new Set(fields)].filter((field) => !text.includes(`\`${field}\``))).toEqual([]);
});
