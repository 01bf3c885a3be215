import type { Status, Verdict } from '../../status/model.js';
import { createAge, type Clock } from './clock.js';
import { createCommand } from './copy-command.js';
import { byId, create, setText, type Child } from './dom.js';
import { createLevelIcon } from './glyphs.js';
import { localize } from './localize.js';

type Shown = Pick<Verdict, 'level' | 'sentence' | 'details' | 'facts' | 'steps'> & {
  readonly isFirstRun: boolean;
};

const marks = { good: '✓ ', wait: '… ', bad: '✗ ' } as const;

/**
 * The sentence on top. While all is well it is one line. Else it grows to what happened and what to
 * do. A screen reader announces only a change in kind, not each new time of day.
 */
export class Banner {
  readonly #clock: Clock;
  readonly #banner = byId('verdict');
  #shown = '';

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  show(status: Status): void {
    const { verdict, statistics } = status;
    const isFirstRun = verdict.kind === 'first run';
    // With facts and steps, the details would say the same again.
    const details = verdict.facts.length > 0 ? [] : verdict.details;
    const side = describeProof(status, this.#clock);
    this.#draw({ ...verdict, details, isFirstRun }, side, [verdict, statistics.lastVerification]);
  }

  /** The daemon is not responding; the figures shown are as of `since`. */
  showSilence(since: Date | undefined): void {
    const silence = describeSilence(since);
    this.#draw({ ...silence, isFirstRun: false }, [], silence);
  }

  #draw(verdict: Shown, side: readonly Child[], content: unknown): void {
    const key = JSON.stringify([content, this.#clock.zone.name(this.#clock.now())]);
    // A rebuilt button would lose the focus, and a selection would be lost.
    if (key === this.#shown) return;
    this.#shown = key;
    const { level, sentence, details } = verdict;
    this.#banner.dataset['level'] = level;
    document.title = `${marks[level]}registry-stats`;
    const tone = verdict.isFirstRun ? 'none' : level;
    byId('verdict-icon').replaceChildren(createLevelIcon(tone, 28));
    byId('verdict-sentence').replaceChildren(...nodes(localize(sentence, this.#clock)));
    byId('verdict-details').replaceChildren(
      ...details.map((text) => create('p', {}, ...localize(text, this.#clock))),
    );
    byId('verdict-side').replaceChildren(...nodes(side));
    showMore(verdict, this.#clock);
    announce(sentence);
  }
}

function announce(sentence: string): void {
  const announcement = byId('announcement');
  const kind = sentence.replace(/[\d:-]+/g, '');
  if (announcement.dataset['kind'] === kind) return;
  announcement.dataset['kind'] = kind;
  setText(announcement, sentence);
}

function nodes(children: readonly Child[]): (Node | string)[] {
  return children.filter((child) => child !== undefined);
}

/** Only where all is well: else it would distract from what is wrong. */
function describeProof({ verdict, statistics }: Status, clock: Clock): Child[] {
  const { lastVerification } = statistics;
  if (verdict.level !== 'good' || lastVerification === null) {
    const { checkedAt } = verdict;
    return checkedAt === null ? [] : ['Checked ', createAge(checkedAt, clock)];
  }
  return [
    create('b', {}, 'Verified'),
    ' against the tables ',
    create('br'),
    createAge(lastVerification.finishedAt, clock),
    ', no difference',
  ];
}

function showMore({ facts, steps }: Shown, clock: Clock): void {
  const more = byId('verdict-more');
  more.hidden = facts.length + steps.length === 0;
  const happened = facts.flatMap(({ term, text }) => [
    create('dt', {}, term),
    create('dd', {}, ...localize(text, clock)),
  ]);
  const todo = steps.map(({ text, command }) =>
    create('li', {}, ...localize(text, clock), command === null ? '' : createCommand(command)),
  );
  more.replaceChildren(
    ...createPart('What happened', create('dl', { class: 'facts' }, ...happened)),
    ...createPart('What to do', create('ol', { class: 'steps' }, ...todo)),
  );
}

function createPart(title: string, list: HTMLElement): HTMLElement[] {
  if (list.childElementCount === 0) return [];
  return [create('div', {}, create('h3', {}, title), list)];
}

function describeSilence(since: Date | undefined): Omit<Shown, 'isFirstRun'> {
  const minute = since?.toISOString().slice(0, 16).replace('T', ' ');
  return {
    level: 'bad',
    sentence: 'The daemon is not responding.',
    details: [
      ...(minute === undefined ? [] : [`What you see below is as of ${minute} UTC.`]),
      'The page tries again every few seconds.',
    ],
    facts: [{ term: 'Found', text: 'no response from this address' }],
    steps: [
      { text: 'Check whether the daemon runs:', command: 'registry-stats health' },
      { text: 'If it was stopped, start it. No change is lost.', command: 'registry-stats start' },
    ],
  };
}
