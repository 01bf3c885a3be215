import { createAge, type Clock } from './clock.js';
import { byId, create, setText } from './dom.js';
import { formatTime } from './format.js';
import type { Verdict } from '../../status/model.js';

type Shown = Omit<Verdict, 'notReady'>;

interface Banner {
  show(verdict: Shown): void;
  /** The daemon is not responding; the figures shown are as of `since`. */
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
      show(
        silence(
          since === undefined ? undefined : formatTime(since.toISOString(), clock.now(), true),
        ),
      );
    },
  };
}

function silence(shownAsOf: string | undefined): Shown {
  return {
    level: 'bad',
    sentence: 'The daemon is not responding.',
    details: [
      ...(shownAsOf === undefined ? [] : [`What you see below is as of ${shownAsOf}.`]),
      'The page tries again every few seconds. If the daemon was stopped, start it: ' +
        'registry-stats start.',
    ],
    checkedAt: null,
  };
}
