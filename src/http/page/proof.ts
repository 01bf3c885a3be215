import type { Status } from '../../status/model.js';
import { createAge, createMoment, type Clock } from './clock.js';
import { byId, create, type Child } from './dom.js';
import { countOf } from './format.js';
import { createLevelIcon } from './glyphs.js';
import type { Tone } from './words.js';

/** Shows the last comparison with the tables: why the figures can be trusted. */
export function showProof({ statistics, nextVerification }: Status, clock: Clock): void {
  const { lastVerification: last, mode } = statistics;
  const { tone, words } = describe(last, mode);
  const next = nextVerification === null ? [] : ['Next ', createMoment(nextVerification, clock)];
  byId('proof').replaceChildren(
    createLevelIcon(tone, 20),
    create('p', { class: 'grow-1' }, ...words),
    ...(last === null ? [] : [create('span', {}, createAge(last.finishedAt, clock))]),
    create('span', { class: 'dim' }, ...next),
  );
}

function describe(
  last: Status['statistics']['lastVerification'],
  mode: Status['statistics']['mode'],
): { readonly tone: Tone; readonly words: Child[] } {
  if (mode === 'plain') {
    const text = ' The legacy state reads the tables themselves.';
    return { tone: 'none', words: [create('b', {}, 'Nothing to verify.'), text] };
  }
  if (last === null) {
    const command = create('code', {}, 'registry-stats verify');
    const words = [
      create('b', {}, 'Not verified yet.'),
      ' To compare all figures with the tables: ',
    ];
    return { tone: 'none', words: [...words, command] };
  }
  if (last.differences === 0) {
    const sentence = create('b', {}, 'Verified: every current figure matches the tables.');
    return { tone: 'good', words: [sentence, ' Compared in one snapshot, no difference.'] };
  }
  const differ = `${countOf(last.differences, 'figure')} ${last.differences === 1 ? 'differs' : 'differ'}`;
  const drift = create('b', { class: 'state bad' }, `Drift: ${differ} from the tables.`);
  return { tone: 'bad', words: [drift, ' ', create('a', { href: '#verdict' }, 'What to do')] };
}
