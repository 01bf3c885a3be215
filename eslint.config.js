import tseslint from 'typescript-eslint';
import { layers } from './scripts/layers.mjs';

/** Returns what a file of this layer must not import: all layers above it. */
function above(index) {
  const group = layers
    .slice(0, index)
    .flat()
    .map((name) =>
      name.endsWith('.ts') ? `**/${name.replace('.ts', '.js')}` : `../**/${name}/**`,
    );
  if (group.length === 0) return [];
  return [{ group, message: 'It is in a higher layer, see scripts/layers.mjs.' }];
}

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', '.data/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      'no-console': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
    },
  },
  {
    // The environment, the exit code and the terminal belong to the entry point and the settings.
    files: ['src/**/*.ts'],
    ignores: ['src/main.ts', 'src/config/**', 'src/commands/**'],
    rules: { 'no-restricted-properties': ['error', { object: 'process', property: 'env' }] },
  },
  ...layers.map((layer, index) => ({
    files: layer.map((name) => (name.endsWith('.ts') ? `src/${name}` : `src/${name}/**/*.ts`)),
    rules: { 'no-restricted-imports': ['error', { patterns: above(index) }] },
  })),
);
