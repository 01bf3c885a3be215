import { jobs } from '../../src/jobs/job.js';
import { splitStatements } from '../../src/schema/split-statements.js';
import { readSqlFiles } from '../../src/schema/sql-files.js';

/** 001's views instead of ours, for a swap. */
const [baseline] = (await readSqlFiles()).migrations;
export const viewsOverTables = [
  `drop materialized view ${jobs.flatMap(({ views }) => views.map((view) => `public.${view}`)).join(', ')}`,
  ...splitStatements(baseline?.text ?? '')
    .map(({ text }) => text)
    .filter((text) => /^create (materialized view|unique index) /.test(text)),
].join(';\n');
