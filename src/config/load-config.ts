import { storePath } from './apt-env.js';
import { readCaFile } from './ca-file.js';
import { parseConfig, parseValues, type Config } from './config.js';
import { readEnvFile } from './env-file.js';
import { mask } from './masking.js';
import { replaceSdkWarning } from './node-version.js';
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

interface LoadConfigInput {
  /** Only the AWS SDK reads `process.env` itself, for credentials and endpoint. */
  readonly env: NodeJS.ProcessEnv;
  /** The directory of the .env files. Relative paths start here. */
  readonly cwd: string;
  readonly signal?: AbortSignal;
}

export interface LoadedConfig {
  readonly config: Config;
  readonly settings: readonly EffectiveSetting[];
  /** What a person should know although the settings are valid, a sentence each. */
  readonly notes: readonly string[];
}

/**
 * Reads every source and parses the settings. Order: environment, Parameter Store,
 * `.env.<APT_ENV>`, `.env`, defaults.
 * @throws AppError SETTINGS_INVALID or PARAMETER_STORE_*, never anything else
 */
export async function loadConfig(input: LoadConfigInput): Promise<LoadedConfig> {
  const local = await readLocalSources(input);
  const warning = replaceSdkWarning(process.version);
  const raw = await readCaFile(await addParameterStore(local, input.signal));
  const config = parseConfig(raw);
  const settings = settingKeys.map((key) => effectiveSetting(raw, config, key));
  const usesSdk = config.ssmPath !== undefined || config.db.isIamAuth;
  const notes = [...(raw.notes ?? []), ...(warning !== undefined && usesSdk ? [warning] : [])];
  return { config, settings, notes };
}

/**
 * Returns the address of the status server. Does not read Parameter Store: a health check runs
 * every few seconds and must not depend on it.
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
  // AWS_REGION overrides this in any source, so it is the last source.
  const region = { AWS_REGION: env['AWS_DEFAULT_REGION'] };
  const fallback: RawSource = { name: 'environment', values: pickSettings(region) };
  const sources = [environment, general, fallback];

  const { APT_ENV: aptEnv } = parseValues({ cwd, sources }).values;
  if (aptEnv === undefined) {
    return { cwd, sources, problems: general.problems, notes: general.notes };
  }
  const specific = await readEnvFile(cwd, `.env.${aptEnv}`);
  // APT_ENV selected this file, so the file cannot change it.
  specific.values.delete('APT_ENV');
  return {
    cwd,
    sources: [environment, specific, general, fallback],
    problems: [...general.problems, ...specific.problems],
    notes: [...general.notes, ...specific.notes],
  };
}

async function addParameterStore(local: RawSettings, signal?: AbortSignal): Promise<RawSettings> {
  const { values, problems } = parseValues(local);
  const { APT_ENV, SSM_PATH, SSM_TIMEOUT, AWS_REGION: region } = values;
  // If one of these is wrong, we would read another path. parseConfig reports it.
  const isPathWrong = problems.some((problem) => problem.key === 'SSM_PATH');
  if (!APT_ENV || !SSM_TIMEOUT || !region || isPathWrong) return local;
  const path = storePath(APT_ENV, SSM_PATH);
  if (path === undefined) return local;

  const keys = settingKeys.filter((key) => !settingOf(key).isLocal);
  const stored = await readParameterStore({ path, region, keys, timeoutMs: SSM_TIMEOUT, signal });
  const sources = local.sources.toSpliced(1, 0, { name: 'parameter store', values: stored });
  return { ...local, sources, parameterStore: { path, region } };
}

export interface EffectiveSetting {
  readonly key: SettingKey;
  /** Text; masked for a secret, empty without a value. */
  readonly value: string;
  /** The same for programs: durations in milliseconds, null without a value. */
  readonly typed: string | number | boolean | null;
  readonly source: SourceName | 'default' | 'unset';
  readonly isSecret: boolean;
  readonly about: string;
}

function effectiveSetting(raw: RawSettings, config: Config, key: SettingKey): EffectiveSetting {
  const { schema, about, isSecret = false, default: byDefault } = settingOf(key);
  const found = findValue(raw, key);
  const common = { key, isSecret, about };
  if (found && isSecret) return { ...common, value: mask, typed: mask, source: found.source };
  const text = found?.text ?? byDefault;
  if (text !== undefined) {
    const typed = schema.parse(text) as EffectiveSetting['typed'];
    return { ...common, value: text, typed, source: found?.source ?? 'default' };
  }
  const typed = derivedDefault(config, key) ?? null;
  const source = typed === null ? 'unset' : 'default';
  return { ...common, value: String(typed ?? ''), typed, source };
}

function derivedDefault(config: Config, key: SettingKey): EffectiveSetting['typed'] | undefined {
  const derived: Partial<Record<SettingKey, EffectiveSetting['typed'] | undefined>> = {
    SSM_PATH: config.ssmPath,
    DB_NAME: config.db.name,
    DB_USER: config.db.user,
    DB_USE_SSL: config.db.useSsl,
    VERIFY_DB_PORT: config.replica?.port,
  };
  return derived[key];
}
