// Part of `npm run lint`: lists banned words in documents, comments, messages and test names, and
// exits with 1 if there are any.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const banned = [
  [/\banew\b/i, 'again, or recreate'],
  [/\bmend(s|ed)?\b/i, 'fix, repair'],
  [/\b(made|makes|make) up for\b/i, 'runs missed jobs, repeats'],
  [/\bin the midst\b/i, 'during'],
  [/(\*|\/\/|--) Gives (whether|how|what|no|the number)\b/, 'Returns'],
];

/** Also banned in src/, test/, bench/, scripts/ and deploy/: comments, messages and test names. */
const bannedInCode = [
  [/\b(afresh|heals?|owed)\b/i, 'again, repair, missed'],
  [/\b(as ever|everybody|for want of)\b/i, 'as before, every role, without'],
  [/\b(at work|at it)\b/i, 'running'],
  [/\bin (mid-run|place of)\b/i, 'during a run, instead of'],
  [/\b(is|was) (said|looked)\b/i, 'is reported, was checked'],
  [/\b(none|one) of (ours|theirs)\b/i, 'our, their, not one of our'],
  [/\bnot exact\b/i, 'untrusted'],
  [/\borphans\b/i, 'abandoned backends'],
  [/\bthat (is|are) none\b/i, 'say what it is'],
];

/** Also banned in documents. */
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
  if (/^(src|test|bench|scripts|deploy)\//.test(file)) return [...banned, ...bannedInCode];
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
