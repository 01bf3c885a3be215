// `npm test` and the longer tests, `npm run test:…`: prepares, then runs a suite with the arguments
// given. The settings of a suite can be set in the environment; CONTRIBUTING.md lists them.
import { prepare, runNode } from './prepare.mjs';

const suites = {
  default: {},
  browser: { project: 'browser' },
  faults: { project: 'faults' },
  long: { files: ['test/exactness/random.test.ts'], settings: { TRANSACTIONS: '10000' } },
  crowd: { files: ['test/process/crowd.test.ts'], settings: { SECONDS: '600' } },
  soak: { files: ['test/soak/soak.test.ts'], settings: { RUNS: '20000' } },
  hostile: {
    files: [
      'test/process/hostile-requests.test.ts',
      'test/hostile-input.test.ts',
      'test/parameter-store.test.ts',
    ],
    settings: { CONNECTIONS: '10000', FUZZ_RUNS: '5000' },
  },
};

const [name = '', ...args] = process.argv.slice(2);
const suite = suites[name];
if (suite === undefined) {
  console.error(`expected a suite of ${Object.keys(suites).join(', ')}, found "${name}"`);
  process.exit(2);
}
const { project = 'default', files = [], settings = {} } = suite;
for (const [setting, value] of Object.entries(settings)) process.env[setting] ??= value;
prepare();
runNode('node_modules/vitest/vitest.mjs', 'run', `--project=${project}`, ...files, ...args);
