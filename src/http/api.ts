import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import type { Context } from '../context.js';
import { describeFailure } from '../db/sqlstate.js';
import { AppError } from '../errors.js';
import { jobNames } from '../jobs/job.js';
import { readFigures } from '../status/figures.js';
import { readRuns, runOutcomes } from '../status/run-history.js';
import { BoundedReader } from '../status/bounded-reader.js';
import type { StatusReader } from '../status/status-reader.js';

const runsQuery = z.strictObject({
  job: z.enum(jobNames).optional(),
  outcome: z.enum(runOutcomes).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
  before: z
    .string()
    .regex(/^\d{1,18}$/, 'expected the id of a run')
    .optional(),
});

/** Registers the JSON of the page: `/api/status`, `/api/runs` and `/api/statistics`. */
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
    if (error !== undefined) return refuse(reply, error);
    const key = `runs ${JSON.stringify(data)}`;
    return orExplain(reply, () => reader.read(key, 1_000, (open) => readRuns(open, data)));
  });
  server.get('/api/statistics', (_request, reply) =>
    orExplain(reply, () => reader.read('figures', 5_000, readFigures)),
  );
}

async function orExplain(reply: FastifyReply, read: () => Promise<unknown>): Promise<unknown> {
  try {
    return await read();
  } catch (error) {
    const hint = error instanceof AppError ? (error.hint ?? null) : null;
    return reply.code(503).send({ error: describeFailure(error), hint });
  }
}

function refuse(reply: FastifyReply, error: z.ZodError): FastifyReply {
  const problems = error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  const hint = 'allowed parameters: job, outcome, limit (1 to 500) and before (the id of a run)';
  return reply.code(400).send({ error: problems.join('; '), hint });
}
