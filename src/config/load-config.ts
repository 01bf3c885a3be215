import { storePath } from './apt-env.js';
import { readCaFile } from './ca-file.js';
import { parseConfig, parseValues, type Config } from './config.js';
import { readEnvFile } from './env-file.js';
import { mask } from './masking.js';
import { readParameterStore } from './parameter-store.js';
import { settingsError } from './problems.js';
import {
  allSecrets,
  findValue,
  pickSettings,
  type RawSettings,
  type RawSource,
  type SourceName,
} from './raw-settings.js';
import { settingKeys, settingOf, type SettingKey } from './settings.js';

export interface LoadConfigInput {
  /** Only the AWS SDK reads the real environment, for credentials and endpoint. */
  readonly env: NodeJS.ProcessEnv;
  /** Where the .env files are, and what relative paths are relative to. */
  readonly cwd: string;
  readonly signal?: AbortSignal;
}

export interface LoadedConfig {
  readonly config: Config;
  readonly settings: readonly EffectiveSetting[];
}

/**
 * Reads every source and parses the settings: environment over Parameter Store over
 * `.env.<APT_ENV>` over `.env` over defaults.
 * @throws AppError SETTINGS_INVALID or PARAMETER_STORE_*, never anything else
 */
export async function loadConfig(input: LoadConfigInput): Promise<LoadedConfig> {
  const local = await readLocalSources(input);
  const raw = await readCaFile(await addParameterStore(local, input.signal));
  const config = parseConfig(raw);
  return { config, settings: settingKeys.map((key) => effectiveSetting(raw, config, key)) };
}

/**
 * Returns the address of the daemon's status server. Does not read Parameter Store: a health check
 * runs every few seconds and must not fail with it.
 * @throws AppError SETTINGS_INVALID
 */
export async function loadStatusAddress(input: LoadConfigInput): Promise<Config['status']> {
  const local = await readLocalSources(input);
  const { values, problems } = parseValues(local);
  const { STATUS_HOST: host, STATUS_PORT: port } = values;
  if (host !== undefined && port !== undefined) return { host, port };
  const ofStatus = problems.filter(({ key }) => key === 'STATUS_HOST' || key === 'STATUS_PORT');
  throw settingsError(ofStatus, allSecrets(local));
}

async function readLocalSources({ env, cwd }: LoadConfigInput): Promise<RawSettings> {
  const environment: RawSource = { name: 'environment', values: pickSettings(env) };
  const general = await readEnvFile(cwd, '.env');
  // Weaker than AWS_REGION in any source, so a source of its own at the end.
  const region = { AWS_REGION: env['AWS_DEFAULT_REGION'] };
  const fallback: RawSource = { name: 'environment', values: pickSettings(region) };
  const sources = [environment, general, fallback];

  const { APT_ENV: aptEnv } = parseValues({ cwd, sources }).values;
  if (aptEnv === undefined) return { cwd, sources, problems: general.problems };
  const specific = await readEnvFile(cwd, `.env.${aptEnv}`);
  // APT_ENV chose this file, so the file cannot change it.
  specific.values.delete('APT_ENV');
  const problems = [...general.problems, ...specific.problems];
  return { cwd, sources: [environment, specific, general, fallback], problems };
}

async function addParameterStore(local: RawSettings, signal?: AbortSignal): Promise<RawSettings> {
  const { values, problems } = parseValues(local);
  const { APT_ENV, SSM_PATH, SSM_TIMEOUT, AWS_REGION: region } = values;
  // With one of these wrong, another path would be read; parseConfig reports it.
  const isPathWrong = problems.some((problem) => problem.key === 'SSM_PATH');
  if (!APT_ENV || !SSM_TIMEOUT || !region || isPathWrong) return local;
  const path = storePath(APT_ENV, SSM_PATH);
  if (path === undefined) return local;

  const keys = settingKeys.filter((key) => !settingOf(key).isLocal);
  const stored = await readParameterStore({ path, region, keys, timeoutMs: SSM_TIMEOUT, signal });
  // Only the environment is stronger.
  const sources = local.sources.toSpliced(1, 0, { name: 'parameter store', values: stored });
  return { ...local, sources, parameterStore: { path, region } };
}

export interface EffectiveSetting {
  readonly key: SettingKey;
  /** As text; a secret that is set is masked; empty where nothing is set. */
  readonly value: string;
  readonly source: SourceName | 'default' | 'unset';
  readonly isSecret: boolean;
  readonly about: string;
}

function effectiveSetting(raw: RawSettings, config: Config, key: SettingKey): EffectiveSetting {
  const { about, isSecret = false, default: byDefault } = settingOf(key);
  const found = findValue(raw, key);
  if (found) {
    const value = isSecret ? mask : found.text;
    return { key, value, source: found.source, isSecret, about };
  }
  const value = byDefault ?? derivedDefault(config, key);
  const source = value === undefined ? 'unset' : 'default';
  return { key, value: value ?? '', source, isSecret, about };
}

function derivedDefault(config: Config, key: SettingKey): string | undefined {
  const derived: Partial<Record<SettingKey, string | undefined>> = {
    SSM_PATH: config.ssmPath,
    DB_NAME: config.db.name,
    DB_USER: config.db.user,
    DB_USE_SSL: String(config.db.useSsl),
  };
  return derived[key];
}
