import { redactSecrets } from '../config/masking.js';
import type { Config } from '../config/config.js';
import type { Event } from '../daemon/events.js';
import { failedForServer } from '../daemon/run-job.js';
import type { JobName } from '../jobs/job.js';
import { describeOutcome, type RunReport } from '../jobs/outcome.js';
import { longestLine, printableLines } from '../printable.js';
import type { Comparison } from '../statistics/verify.js';

/** A change of state to report. */
export interface Notification {
  /** A job, the figures as verified, or the database. */
  readonly subject: JobName | 'figures' | 'database';
  readonly state: 'good' | 'failing' | 'held back' | 'drift' | 'away';
  /** One sentence for people. */
  readonly sentence: string;
  readonly at: Date;
}

/** Returns the state that an event proves. It may be the same as before. */
export function stateFrom(event: Event): Notification | undefined {
  if (event.type === 'run-finished') return stateFromRun(event.report);
  return event.type === 'verified' ? stateFromVerification(event.comparison) : undefined;
}

function stateFromRun(report: RunReport): Notification | undefined {
  const { job: subject, result } = report;
  const reason = describeOutcome(result);
  const at = new Date();
  // Reported as an outage.
  if (failedForServer(report.result)) return undefined;
  if (result.outcome === 'failed') {
    return { subject, state: 'failing', sentence: `${subject} failed: ${reason}`, at };
  }
  if (result.outcome === 'skipped' && result.reason === 'inexact') {
    return { subject, state: 'held back', sentence: `${subject} cannot run: ${reason}`, at };
  }
  if (!provesGood(result)) return undefined;
  return { subject, state: 'good', sentence: `${subject} has recovered: ${reason}`, at };
}

/** A skip because of another session, or of Registry's own function, proves nothing. */
function provesGood(result: RunReport['result']): boolean {
  if (result.outcome !== 'skipped') return result.outcome === 'refreshed';
  return result.reason === 'unchanged' || result.reason === 'complete';
}

function stateFromVerification({ count }: Comparison): Notification {
  const subject = 'figures';
  const at = new Date();
  if (count === 0) {
    const sentence = 'the drift is gone: every current figure matches the tables';
    return { subject, state: 'good', sentence, at };
  }
  const figures = count === 1 ? '1 figure differs' : `${count} figures differ`;
  const sentence = `drift: ${figures} from the tables; run \`registry-stats verify --repair\``;
  return { subject, state: 'drift', sentence, at };
}

/**
 * Returns the body of the POST. `text` is for chat services, the rest for programs. A server's error
 * message is part of the sentence, so secrets are masked, and what a chat would interpret is escaped.
 */
export function toBody(
  { subject, state, sentence, at }: Notification,
  { aptEnv, db, notifyUrl }: Pick<Config, 'aptEnv' | 'db' | 'notifyUrl'>,
): string {
  const secrets = [db.password, notifyUrl].filter((secret) => secret !== undefined);
  const safe = printableLines(redactSecrets(sentence, secrets).replace(/\s+/g, ' '), longestLine);
  return JSON.stringify({
    version: 1,
    text: escapeForChat(`registry-stats in ${aptEnv}: ${safe}`),
    subject,
    state,
    sentence: safe,
    environment: aptEnv,
    database: db.name,
    time: at.toISOString(),
  });
}

/** In the syntax of Slack, "<!channel>" would notify everyone. */
function escapeForChat(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
