import { safeSearchPath } from '../db/begin.js';
import { functionsKey, type Plan } from './plan.js';
import { checksumOf, readScript, type SqlFile, type SqlFiles } from './sql-files.js';

/** One plain SQL script of everything that is pending, for operators who only have psql. */
export async function printPending(plan: Plan, files: SqlFiles): Promise<string> {
  const migrations = plan.migrations.filter(({ state }) => state !== 'applied');
  const parts = [
    ...(plan.needsLaunchSchema ? files.schema.map(section) : []),
    ...migrations.map(({ file }) => section(file)),
    ...(plan.functionsChanged ? [functionsSection(files.functions)] : []),
    ...(plan.needsActivation ? [await readScript('activate')] : []),
  ];
  if (parts.length === 0) return '-- Nothing is pending.\n';
  return [head, await readScript('assert_owner'), ...parts, tail].join('\n');
}

const head = `-- Run with: psql -v ON_ERROR_STOP=1 -f <this file>

set search_path = ${safeSearchPath};
`;

/** The session keeps its own search_path. */
const tail = 'reset search_path;\n';

function section(file: SqlFile): string {
  return `-- ${file.path}\n\n${file.text.trimEnd()}\n`;
}

function functionsSection(files: readonly SqlFile[]): string {
  return `-- sql/functions\n
begin;\n
set local check_function_bodies = off;\n
${files.map(section).join('\n')}
insert into public.ar_internal_metadata (key, value, created_at, updated_at)
values (
  '${functionsKey}',
  '${checksumOf(files)}',
  clock_timestamp() at time zone 'utc',
  clock_timestamp() at time zone 'utc'
)
on conflict (key) do update set value = excluded.value, updated_at = excluded.updated_at;\n
commit;\n`;
}
