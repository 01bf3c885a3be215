import { createAge, type Clock } from './clock.js';
import { byId, create, setText } from './dom.js';
import { formatTime } from './format.js';
import type { Verdict } from '../../status/model.js';

type Shown = Omit<Verdict, 'notReady'>;

interface Banner {
  show(verdict: Shown): void;
  /** The daemon did not answer; what is shown is as of `since`. */
  showSilence(since: Date | undefined): void;
}

/**
 * The sentence on top. A screen reader is told only when what it says changes in kind, not each new
 * time of day.
 */
export function createBanner(clock: Clock): Banner {
  const banner = byId('verdict');
  const sentence = byId('verdict-sentence');
  const details = byId('verdict-details');
  const announcement = byId('announcement');

  function show(verdict: Shown): void {
    const now = clock.now();
    banner.dataset['level'] = verdict.level;
    setText(sentence, verdict.sentence);
    document.title = `${verdict.level === 'bad' ? '✗ ' : ''}registry-stats`;
    const { checkedAt } = verdict;
    const checked =
      checkedAt === null ? [] : [create('p', {}, 'Checked ', createAge(checkedAt, now), '.')];
    details.replaceChildren(...checked, ...verdict.details.map((text) => create('p', {}, text)));
    announce(verdict);
  }

  function announce({ sentence: text }: Shown): void {
    const kind = text.replace(/[\d:]+/g, '');
    if (announcement.dataset['kind'] === kind) return;
    announcement.dataset['kind'] = kind;
    setText(announcement, text);
  }

  return {
    show,
    showSilence: (since) => {
      const shown =
        since === undefined
          ? []
          : [`What you see below is as of ${formatTime(since.toISOString(), clock.now(), true)}.`];
      show({
        level: 'bad',
        sentence: 'The daemon does not answer.',
        details: [
          ...shown,
          'It is asked again every few seconds. If it was stopped, start it: registry-stats start.',
        ],
        checkedAt: null,
      });
    },
  };
}
