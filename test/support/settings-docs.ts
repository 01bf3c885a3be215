import {
  ownSettings,
  registrySettings,
  settings,
  type Setting,
} from '../../src/config/settings.js';

const envExampleHead = `# Settings of registry-stats, each with its default or an example.
# Copy this file to .env or .env.<APT_ENV> and uncomment what you change.
# The environment wins over Parameter Store, that over .env.<APT_ENV>, that over .env.
# Put quotes around a value that holds a "#". An empty value counts as unset.`;

/** Returns the text of `.env.example`. */
export function renderEnvExample(): string {
  return [
    envExampleHead,
    '# ---- Shared with Registry ----',
    ...Object.entries(registrySettings).map(renderExample),
    '# ---- Of registry-stats alone ----',
    ...Object.entries(ownSettings).map(renderExample),
  ]
    .join('\n\n')
    .concat('\n');
}

function renderExample([key, setting]: [string, Setting]): string {
  const note = setting.defaultNote === undefined ? [] : [`# Default: ${setting.defaultNote}.`];
  const value = setting.default ?? setting.example ?? '';
  return [`# ${setting.about}`, ...note, `#${key}=${value}`].join('\n');
}

/** Returns the Markdown table of `docs/settings.md`, aligned like prettier. */
export function renderSettingsTable(): string {
  const rows = Object.entries(settings).map(([key, setting]) => renderRow(key, setting));
  const table = [['Setting', 'Default', 'Meaning'], ...rows];
  const widths = [0, 1, 2].map((column) =>
    Math.max(...table.map((row) => (row[column] ?? '').length)),
  );
  const lines = table.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)));
  const rule = widths.map((width) => '-'.repeat(width));
  const [head = [], ...body] = lines;
  return [head, rule, ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

function renderRow(key: string, setting: Setting): string[] {
  const shown = setting.default === undefined ? undefined : `\`${setting.default}\``;
  return [`\`${key}\``, shown ?? setting.defaultNote ?? 'none', setting.about];
}
