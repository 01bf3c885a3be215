import type { FastifyInstance } from 'fastify';
import { csvTables } from '../status/csv-tables.js';
import { runOutcomes } from '../status/run-history.js';
import { job, schemas } from './openapi-schemas.js';
import type { Schema } from './schema.js';

/** One GET. HEAD returns the same without the body. */
export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters?: readonly Parameter[];
  readonly responses: Readonly<Record<string, Response>>;
}

interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'path';
  readonly required: boolean;
  readonly description: string;
  readonly schema: Schema;
}

interface Response {
  readonly description: string;
  readonly content: Readonly<Record<string, { readonly schema: Schema }>>;
}

function json(description: string, name: string): Response {
  const schema = { $ref: `#/components/schemas/${name}` };
  return { description, content: { 'application/json': { schema } } };
}

function text(description: string, ...types: readonly string[]): Response {
  const content = types.map((type) => [type, { schema: { type: 'string' } }] as const);
  return { description, content: Object.fromEntries(content) };
}

function query(name: string, description: string, schema: Schema): Parameter {
  return { name, in: 'query', required: false, description, schema };
}

const invalid = json('A parameter is unknown or invalid.', 'Error');
const away = json('The database did not respond in time.', 'Error');
const missing = json('There is no such file.', 'Error');

const health: Readonly<Record<string, Operation>> = {
  '/live': {
    operationId: 'getLive',
    summary: 'The process responds. Does not query the database.',
    responses: { 200: json('The process responds.', 'Live') },
  },
  '/ready': {
    operationId: 'getReady',
    summary: 'The database responds and the last runs are good.',
    responses: { 200: json('Ready.', 'Ready'), 503: json('Not ready, and why.', 'NotReady') },
  },
  '/metrics': {
    operationId: 'getMetrics',
    summary: 'All metrics, in any state of the database.',
    responses: { 200: text("Prometheus's text format.", 'text/plain') },
  },
};

const runsFilter = [
  query('job', 'Only runs of this job.', job),
  query('outcome', 'Only runs with this outcome.', { type: 'string', enum: runOutcomes }),
];

const runsParameters = [
  ...runsFilter,
  query('limit', 'How many runs.', { type: 'integer', minimum: 1, maximum: 500, default: 50 }),
  query('before', 'Only runs with a smaller id: the `olderThan` of the last response.', {
    type: 'string',
    pattern: String.raw`^\d{1,18}$`,
  }),
];

const api: Readonly<Record<string, Operation>> = {
  '/api/status': {
    operationId: 'getStatus',
    summary: 'What the daemon did, and what the database has on record.',
    responses: { 200: json('The status.', 'Status') },
  },
  '/api/runs': {
    operationId: 'listRuns',
    summary: 'Recorded runs, newest first.',
    parameters: runsParameters,
    responses: { 200: json('The runs.', 'Runs'), 400: invalid, 503: away },
  },
  '/api/statistics': {
    operationId: 'getStatistics',
    summary: 'The figures.',
    responses: { 200: json('The figures.', 'Statistics'), 503: away },
  },
  '/api/csv/{name}': {
    operationId: 'getCsv',
    summary: 'A table or chart of the page as CSV.',
    parameters: [
      {
        name: 'name',
        in: 'path',
        required: true,
        description: 'Name of the file.',
        schema: { type: 'string', enum: Object.keys(csvTables) },
      },
    ],
    responses: { 200: text('The table.', 'text/csv'), 404: missing, 503: away },
  },
  '/api/csv/runs.csv': {
    operationId: 'getRunsCsv',
    summary: 'Up to 10,000 recorded runs as CSV, newest first.',
    parameters: runsFilter,
    responses: { 200: text('The runs.', 'text/csv'), 400: invalid, 503: away },
  },
  '/api/openapi.json': {
    operationId: 'getOpenApi',
    summary: 'This document.',
    responses: {
      200: {
        description: 'An OpenAPI 3.1 document.',
        content: { 'application/json': { schema: { type: 'object' } } },
      },
    },
  },
};

const page: Readonly<Record<string, Operation>> = {
  '/': {
    operationId: 'getPage',
    summary: 'The status page.',
    responses: { 200: text('The page.', 'text/html') },
  },
  '/assets/{name}': {
    operationId: 'getAsset',
    summary: 'A file of the status page.',
    parameters: [
      {
        name: 'name',
        in: 'path',
        required: true,
        description: 'Name of the file.',
        schema: { type: 'string', pattern: String.raw`^[a-z-]+\.(?:html|css|js|svg)$` },
      },
    ],
    responses: {
      200: text('The file.', 'text/html', 'text/css', 'text/javascript', 'image/svg+xml'),
      404: missing,
    },
  },
};

export const operations: Readonly<Record<string, Operation>> = { ...health, ...api, ...page };

export const openApiDocument = {
  openapi: '3.1.1',
  info: {
    title: 'registry-stats',
    version: '1',
    summary: 'What the statistics daemon knows and did. Read-only.',
    license: { name: 'BSD-2-Clause', identifier: 'BSD-2-Clause' },
  },
  servers: [{ url: '/' }],
  paths: Object.fromEntries(Object.entries(operations).map(([path, get]) => [path, { get }])),
  components: { schemas },
} as const;

/** Registers `/api/openapi.json`. */
export function registerOpenApi(server: FastifyInstance): void {
  server.get('/api/openapi.json', () => openApiDocument);
}
