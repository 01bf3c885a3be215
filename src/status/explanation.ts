import { minuteOf } from './minute.js';
import type { Blocker, Fact, JobStatus, Status, Step, VerdictKind } from './model.js';

type Explained = Omit<Status, 'verdict'>;

interface Explanation {
  readonly facts: readonly Fact[];
  readonly steps: readonly Step[];
}

/** Returns what happened and what to do, for an operator who reads nothing else. */
export function explain(kind: VerdictKind, status: Explained): Explanation {
  return explanations[kind]?.(status) ?? { facts: [], steps: [] };
}

const explanations: Partial<Record<VerdictKind, (status: Explained) => Explanation>> = {
  'database away': explainOutage,
  failing: explainFailure,
  blocked: explainBlocked,
  maintenance: explainMaintenance,
  drift: explainDrift,
  untrusted: explainUntrusted,
  'held back': explainUntrusted,
};

function explainOutage({
  installation: { databaseHost, databaseName },
  databaseProblem,
  databaseDownSince,
  statistics,
}: Explained): Explanation {
  return {
    facts: facts({
      Found: statistics.problem ?? databaseProblem,
      Database: `${databaseName} on ${databaseHost}`,
      Since: momentOf(databaseDownSince),
      Retry: 'every few seconds; missed runs start as soon as the database is back',
    }),
    steps: [
      step('Check the server, and the network from this host:', `pg_isready -h ${databaseHost}`),
      step('If the address changed, set DB_HOST and reload the settings.'),
    ],
  };
}

function explainFailure(status: Explained): Explanation {
  const failing = status.jobs.filter(({ state }) => state === 'failing');
  const [first] = failing;
  if (first === undefined) return { facts: [], steps: [] };
  const { blocker } = status.statistics;
  const needsGrant = failing.some(({ reason }) => reason.includes('(42501)'));
  return {
    facts: [
      ...failing.map(({ title, reason }) => ({
        term: failing.length === 1 ? 'Cause' : title,
        text: reason,
      })),
      ...facts({
        'First failure': describeFailures(first),
        'Figures of': momentOf(first.dataAsOf),
        Waiting: waitingChanges(first),
        'Next attempt': momentOf(status.nextRun),
      }),
      ...(blocker === null ? [] : blockerFacts(blocker)),
    ],
    steps: [
      ...(needsGrant
        ? [step('Grant the rights again, as the owner of the tables:', 'psql -f sql/roles.sql')]
        : []),
      ...(blocker === null ? [] : blockerSteps(blocker)),
      ...(needsGrant || blocker !== null ? [] : [step('Fix the cause.')]),
      step('Refresh now:', `registry-stats refresh ${failing.map(({ job }) => job).join(' ')}`),
    ],
  };
}

function explainBlocked({ statistics: { blocker } }: Explained): Explanation {
  if (blocker === null) return { facts: [], steps: [] };
  return {
    facts: [...blockerFacts(blocker), ...facts({ 'Waits since': momentOf(blocker.waitingSince) })],
    steps: blockerSteps(blocker),
  };
}

function blockerFacts(blocker: Blocker): Fact[] {
  const { pid, user, application, address, state, since, query, lockOn } = blocker;
  const who = [
    user ?? 'another role',
    ...(application === null ? [] : [`with ${application}`]),
    ...(address === null ? [] : [`from ${address}`]),
  ];
  return facts({
    'Who blocks': `${who.join(' ')}, process ${pid}`,
    'Lock on': lockOn,
    'It is': state,
    'Its transaction began': momentOf(since),
    'Its last query': query,
  });
}

function blockerSteps({ pid, user }: Blocker): Step[] {
  return [
    step(`Ask ${user ?? 'its user'} to commit or roll back.`),
    step(
      'If nobody responds, end the session. Its open transaction is rolled back:',
      `select pg_terminate_backend(${pid});`,
    ),
  ];
}

function explainMaintenance({ pid, maintenanceSince, nextRun }: Explained): Explanation {
  return {
    facts: facts({ Since: momentOf(maintenanceSince), 'Next check': momentOf(nextRun) }),
    steps: [
      step(
        'When the maintenance is over, set MAINTENANCE_MODE to false and reload the settings:',
        `kill -HUP ${pid}`,
      ),
    ],
  };
}

function explainDrift({ statistics: { lastVerification } }: Explained): Explanation {
  return {
    facts: facts({
      Differences: lastVerification === null ? null : String(lastVerification.differences),
      'Found by the verification of': momentOf(lastVerification?.finishedAt ?? null),
      'Likely cause': 'rows were written while triggers were disabled',
    }),
    steps: [
      step('Repair the figures and verify again:', 'registry-stats verify --repair'),
      step('Then find who disabled the triggers.'),
    ],
  };
}

function explainUntrusted({ statistics: { inexact }, nextRun }: Explained): Explanation {
  return {
    facts: [
      ...inexact.map(({ name, reason }) => ({ term: name, text: reason })),
      ...facts({ 'Next run': momentOf(nextRun) }),
    ],
    steps: inexact.every(({ isRepairable }) => isRepairable)
      ? [step('The next run repairs it. To run it now:', 'registry-stats refresh')]
      : [step('Remove the reason, then refresh:', 'registry-stats refresh')],
  };
}

function describeFailures({ failingSince, consecutiveFailures: failures }: JobStatus) {
  const since = momentOf(failingSince);
  if (since === null || failures < 2) return since;
  return `${since}, ${failures} runs in a row since`;
}

function waitingChanges({ pendingChanges }: JobStatus): string | null {
  if (pendingChanges === null) return null;
  return `${pendingChanges.toLocaleString('en-US')} changes; none is lost`;
}

/** Returns the facts that are known. */
function facts(texts: Readonly<Record<string, string | null>>): Fact[] {
  return Object.entries(texts).flatMap(([term, text]) =>
    text === null || text === '' ? [] : [{ term, text }],
  );
}

function step(text: string, command: string | null = null): Step {
  return { text, command };
}

function momentOf(iso: string | null): string | null {
  return iso === null ? null : minuteOf(iso);
}
