import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Context } from '../context.js';
import { describeFailure } from '../db/sqlstate.js';
import { AppError } from '../errors.js';
import { jobNames } from '../jobs/job.js';
import { csvTables, isCsvName, readRunTable } from '../status/csv-tables.js';
import { readFigures } from '../status/figures.js';
import { readRuns, runOutcomes } from '../status/run-history.js';
import { BoundedReader } from '../status/bounded-reader.js';
import type { StatusReader } from '../status/status-reader.js';
import { toCsv } from './csv.js';

const runsFilter = z.strictObject({
  job: z.enum(jobNames).optional(),
  outcome: z.enum(runOutcomes).optional(),
});

const runsQuery = runsFilter.extend({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  before: z
    .string()
    .regex(/^\d{1,18}$/, 'expected the id of a run')
    .optional(),
});

/** How long figures are shared. */
const figuresAgeMs = 5_000;

/** Registers what the page reads: `/api/status`, `/api/runs`, `/api/statistics` and `/api/csv/`. */
export function registerApi(
  server: FastifyInstance,
  context: Pick<Context, 'database'>,
  status: StatusReader,
): void {
  // Its own reader: a slow history must not delay the status.
  const reader = new BoundedReader(context.database, {
    timeoutMs: 10_000,
    isDatabaseDown: () => status.isDatabaseDown(),
  });

  server.get('/api/status', () => status.read());
  server.get('/api/runs', async (request, reply) => {
    const { data, error } = runsQuery.safeParse(request.query);
    if (error !== undefined) return refuse(reply, error, runsHint);
    const key = `runs ${JSON.stringify(data)}`;
    return orExplain(reply, () => reader.read(key, 1_000, (open) => readRuns(open, data)));
  });
  server.get('/api/statistics', (_request, reply) =>
    orExplain(reply, async () => {
      // A reader who asks because of a refresh must not get the figures from before it.
      const refreshes = (await status.read()).jobs.map(({ lastRefresh }) => lastRefresh);
      return reader.read(`figures ${refreshes.join()}`, figuresAgeMs, readFigures);
    }),
  );
  registerCsv(server, reader);
}

function registerCsv(server: FastifyInstance, reader: BoundedReader): void {
  server.get('/api/csv/runs.csv', async (request, reply) => {
    const { data, error } = runsFilter.safeParse(request.query);
    if (error !== undefined) return refuse(reply, error, 'allowed parameters: job and outcome');
    const key = `csv ${JSON.stringify(data)}`;
    return sendCsv(reply, 'runs.csv', () =>
      reader.read(key, figuresAgeMs, async (open) => toCsv(await readRunTable(open, data))),
    );
  });
  server.get<{ Params: { name: string } }>('/api/csv/:name', (request, reply) => {
    const { name } = request.params;
    if (!isCsvName(name)) {
      return reply.code(404).send({
        error: 'no such table',
        hint: `expected ${Object.keys(csvTables).join(', ')} or runs.csv`,
      });
    }
    return sendCsv(reply, name, () =>
      reader.read(`csv ${name}`, figuresAgeMs, async (open) => toCsv(await csvTables[name](open))),
    );
  });
}

function sendCsv(reply: FastifyReply, name: string, read: () => Promise<string>): Promise<unknown> {
  return orExplain(reply, async () => {
    const text = await read();
    const day = new Date().toISOString().slice(0, 10);
    const file = `registry-stats-${name.replace('.csv', '')}-${day}.csv`;
    return reply
      .type('text/csv; charset=utf-8; header=present')
      .header('content-disposition', `attachment; filename="${file}"`)
      .send(text);
  });
}

async function orExplain(reply: FastifyReply, read: () => Promise<unknown>): Promise<unknown> {
  try {
    return await read();
  } catch (error) {
    const hint = error instanceof AppError ? (error.hint ?? null) : null;
    return reply.code(503).send({ error: describeFailure(error), hint });
  }
}

const runsHint = 'allowed parameters: job, outcome, limit (1 to 500) and before (the id of a run)';

function refuse(reply: FastifyReply, error: z.ZodError, hint: string): FastifyReply {
  const problems = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  return reply.code(400).send({ error: problems.join('; '), hint });
}
