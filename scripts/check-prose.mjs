// Part of `npm run lint`: words and phrases that plain English does without, in documents, comments,
// messages and names of tests. Exits 1 and lists them.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const banned = [
  [/\banew\b/i, 'again, or recreate'],
  [/\bmend(s|ed)?\b/i, 'fix, repair'],
  [/\b(made|makes|make) up for\b/i, 'runs missed jobs, repeats'],
  [/\bin the midst\b/i, 'during'],
  [/(\*|\/\/|--) Gives (whether|how|what|no|the number)\b/, 'Returns'],
];

/** In the documents that people read, also these. */
const bannedInDocuments = [
  [/\b(is|are|was|were) told\b/i, 'is logged, reported'],
  [/\bwhoever\b/i, 'the user, a client'],
  [/\bof (ours|theirs)\b/i, 'our, their'],
  [/\b(beside|anew)\b/i, 'next to, again'],
  [/\b(lies|stands)\b/i, 'is'],
];

/** In our SQL, also these. */
const bannedInSql = [
  [/\b(gives?|gave)\b/i, 'returns, grants'],
  [/\b(tells?|told|says?|said)\b/i, 'is reported, logged, recorded'],
  [/\b(whoever|nobody|somebody|everybody)\b/i, 'another session, another role, PUBLIC'],
  [/\b(of (ours|theirs)|at (it|work))\b/i, 'our, their; running'],
  [/\b(look(s|ed)?|ask(s|ed)?|questions?|answers?)\b/i, 'check, query, request, result'],
  [/\b(heals?|puts?)\b/i, 'repair, create'],
  [/\b(lies?|stands?|beside|behind)\b/i, 'is, next to, after'],
  [/\b(stale|not exact|untrustworthy)\b/i, 'untrusted'],
  [/\b(moved? on|is no|takes no)\b/i, 'changed; is not a; needs no'],
];

function bannedIn(file) {
  if (/^(docs\/.*|[A-Z]+)\.md$/.test(file)) return [...banned, ...bannedInDocuments];
  return /^sql\/(?!schema\/|dev\/).*\.sql$/.test(file) ? [...banned, ...bannedInSql] : banned;
}

const files = execFileSync('git', ['ls-files', '-z'], { encoding: 'utf8' })
  .split('\0')
  .filter((file) => /\.(ts|mjs|sql|md|html|yaml)$/.test(file))
  .filter((file) => file !== 'scripts/check-prose.mjs');

const found = files.flatMap((file) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line, index) =>
      bannedIn(file)
        .filter(([pattern]) => pattern.test(line))
        .map(([pattern, instead]) => `${file}:${index + 1}: ${pattern.source}: ${instead}`),
    ),
);
for (const line of found) console.error(line);
if (found.length > 0) process.exitCode = 1;
