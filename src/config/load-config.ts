import type { Config } from './config.js';
import { readCaFile } from './ca-file.js';
import { storePath } from './derived-defaults.js';
import { listEffectiveSettings, type EffectiveSetting } from './effective-settings.js';
import { readEnvFile } from './env-file.js';
import { readParameterStore } from './parameter-store.js';
import { parseConfig } from './parse-config.js';
import { parseValues } from './parse-values.js';
import { settingsError } from './problems.js';
import { pickOurs, type RawSettings, type RawSource } from './raw-settings.js';
import { settingKeys, settings, type SettingKey } from './settings.js';

export interface LoadedConfig {
  readonly config: Config;
  readonly settings: readonly EffectiveSetting[];
}

export interface LoadConfigInput {
  /** Taken as it is; only the AWS SDK looks at the real environment, for credentials and endpoint. */
  readonly env: NodeJS.ProcessEnv;
  /** Where the .env files are, and what relative paths are relative to. */
  readonly cwd: string;
  readonly signal?: AbortSignal;
}

/**
 * Reads every source and understands it: environment over Parameter Store over `.env.<APT_ENV>`
 * over `.env` over defaults.
 * @throws AppError SETTINGS_INVALID or PARAMETER_STORE_*, never anything else
 */
export async function loadConfig(input: LoadConfigInput): Promise<LoadedConfig> {
  const local = await readLocalSources(input);
  const complete = await addParameterStore(local, input.signal);
  const raw = await readCaFile(complete);
  const config = parseConfig(raw);
  return { config, settings: listEffectiveSettings(raw, config) };
}

/**
 * Where the daemon's status server is, from the sources at hand: a health check every few seconds
 * must neither read Parameter Store nor fail with it.
 * @throws AppError SETTINGS_INVALID
 */
export async function loadStatusAddress(input: LoadConfigInput): Promise<Config['status']> {
  const local = await readLocalSources(input);
  const { values, problems } = parseValues(local);
  const { STATUS_HOST: host, STATUS_PORT: port } = values;
  if (host !== undefined && port !== undefined) return { host, port };
  throw settingsError(
    problems.filter(({ key }) => key === 'STATUS_HOST' || key === 'STATUS_PORT'),
    local,
  );
}

async function readLocalSources({ env, cwd }: LoadConfigInput): Promise<RawSettings> {
  const environment: RawSource = { name: 'environment', values: pickOurs(env) };
  const base = await readEnvFile(cwd, '.env');
  const general: RawSource = { name: '.env', values: base.values };
  const { AWS_DEFAULT_REGION: awsDefault = '' } = env;
  // Weaker than AWS_REGION in any source, so a source of its own at the end.
  const fallback: RawSource = { name: 'environment', values: pickOurs({ AWS_REGION: awsDefault }) };
  const first: RawSettings = {
    cwd,
    sources: [environment, general, fallback],
    problems: base.problems,
  };

  const { APT_ENV: aptEnv } = parseValues(first).values;
  if (aptEnv === undefined) return first;
  const specific = await readEnvFile(cwd, `.env.${aptEnv}`);
  // The file was chosen by APT_ENV, so it has no say in it.
  specific.values.delete('APT_ENV');
  return {
    cwd,
    sources: [environment, { name: `.env.${aptEnv}`, values: specific.values }, general, fallback],
    problems: [...base.problems, ...specific.problems],
  };
}

const storedKeys = settingKeys.filter((key) => !('isLocal' in settings[key]));

async function addParameterStore(local: RawSettings, signal?: AbortSignal): Promise<RawSettings> {
  const { values, problems } = parseValues(local);
  const { APT_ENV, SSM_PATH, SSM_TIMEOUT, AWS_REGION: region } = values;
  // With one of these wrong, the wrong place would be read; parseConfig tells.
  const isPathInvalid = problems.some((problem) => problem.key === 'SSM_PATH');
  if (!APT_ENV || !SSM_TIMEOUT || !region || isPathInvalid) return local;
  const path = storePath(APT_ENV, SSM_PATH);
  if (path === undefined) return local;

  const keys = storedKeys;
  const found = await readParameterStore({ path, region, keys, timeoutMs: SSM_TIMEOUT, signal });
  const store: RawSource = {
    name: 'parameter store',
    values: found as ReadonlyMap<SettingKey, string>,
  };
  const [environment, ...weaker] = local.sources;
  const sources = environment ? [environment, store, ...weaker] : [store];
  return { ...local, sources, parameterStore: { path, region } };
}
