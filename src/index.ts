export type { Config } from './config/config.js';
export { createContext, type Context, type ContextOptions } from './context.js';
export { initCronJobs, type CronJobs } from './daemon/cron.js';
export { AppError, errorCodes, type ErrorCode } from './errors.js';
export { exitCodes, type ExitCode } from './exit-codes.js';
export { jobNames, jobs, type Job, type JobName } from './jobs/job.js';
export type { Outcome, RunReport, SkipReason, Trigger } from './jobs/outcome.js';
