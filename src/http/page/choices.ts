/**
 * What the reader chose on the page. It is in the address, so that a link or a reload shows the
 * same. `defaults` are not written.
 */
export interface Choices {
  readonly by: 'option' | 'institution';
  readonly range: '1' | '5' | 'all';
  /** Names of the series shown; empty for all. */
  readonly only: readonly string[];
  readonly find: string;
  /** A column and a direction, as '-bytes'. */
  readonly sort: string;
  readonly optionSort: string;
  readonly job: string;
  readonly outcome: string;
  readonly zone: 'local' | 'utc';
}

const defaults: Choices = {
  by: 'option',
  range: 'all',
  only: [],
  find: '',
  sort: '-bytes',
  optionSort: '-bytes',
  job: '',
  outcome: '',
  zone: 'local',
};

/** Parses a query. A value that is not allowed counts as the default. */
export function parseChoices(query: string): Choices {
  const found = new URLSearchParams(query);
  const text = (name: keyof Choices): string => found.get(name)?.slice(0, 200) ?? '';
  const sortOf = (name: 'sort' | 'optionSort'): string =>
    /^-?[a-z]+$/i.test(text(name)) ? text(name) : defaults[name];
  return {
    by: text('by') === 'institution' ? 'institution' : 'option',
    range: text('range') === '1' ? '1' : text('range') === '5' ? '5' : 'all',
    only: found.getAll('only').slice(0, 20),
    find: text('find'),
    sort: sortOf('sort'),
    optionSort: sortOf('optionSort'),
    job: text('job'),
    outcome: text('outcome'),
    zone: text('zone') === 'utc' ? 'utc' : 'local',
  };
}

/** Returns the query of the choices that are not the default, with '?'. */
export function toQuery(choices: Choices): string {
  const { only, ...others } = choices;
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(others)) {
    if (value !== defaults[name as keyof typeof others]) query.set(name, value);
  }
  for (const name of only) query.append('only', name);
  const text = query.toString();
  return text === '' ? '' : `?${text}`;
}
