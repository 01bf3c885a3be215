import type {
  CountFigure,
  DepositFigure,
  DepositTotal,
  Figures,
  GrowthSince,
  MonthlyTotals,
  Series,
} from '../status/figures-model.js';
import {
  object,
  nullable,
  list,
  ref,
  described,
  text,
  count,
  amount,
  version,
  day,
  type Schema,
} from './schema.js';

const deposited: Record<keyof DepositTotal, Schema> = {
  objects: count,
  files: count,
  bytes: amount,
  monthlyCost: described('In dollars; null where an option has no price.', nullable(amount)),
};

/** The schemas of `/api/statistics`. */
export const figureSchemas: Readonly<Record<string, Schema>> = {
  Statistics: object<Figures>({
    version,
    growthSince: described('The months that growth counts from.', ref('GrowthSince')),
    history: ref('History'),
    counts: list(ref('Count')),
    deposits: ref('Deposits'),
  }),
  History: object<Figures['history']>({
    months: described('First days of months, ascending.', list(day)),
    total: described('Totals of the history itself.', ref('MonthlyTotals')),
    byStorageOption: list(ref('Series')),
    byInstitution: list(ref('Series')),
  }),
  GrowthSince: object<GrowthSince>({
    month: described('The first of a month nearest to a month ago.', nullable(day)),
    year: described('The first of a month nearest to a year ago.', nullable(day)),
  }),
  MonthlyTotals: object<MonthlyTotals>({
    objects: list(count),
    files: list(count),
    bytes: list(amount),
    monthlyCost: list(nullable(amount)),
  }),
  Series: object<Series>({
    name: text,
    bytes: described('Stored bytes, one number per month.', list(amount)),
    now: described('Current bytes.', amount),
  }),
  Count: object<CountFigure>({
    subject: { type: 'string', enum: ['events', 'objects', 'files', 'work items'] },
    kind: described('State, event type or action; null for the total.', nullable(text)),
    rows: count,
  }),
  Deposits: object<Figures['deposits']>({
    total: described("The view's own total; null while nothing is stored.", nullable(ref('Total'))),
    byStorageOption: list(ref('Deposit')),
    byInstitution: described('Up to 500, the largest first.', list(ref('Deposit'))),
  }),
  Total: object<DepositTotal>(deposited),
  Deposit: object<DepositFigure>({
    name: text,
    ...deposited,
    pricePerGb: described('Dollars a month; null for an institution.', nullable(amount)),
    recentBytes: described('Bytes on the last 13 of `months`.', list(amount)),
    yearGrowth: described('Bytes added since `growthSince.year`.', nullable({ type: 'number' })),
  }),
};
