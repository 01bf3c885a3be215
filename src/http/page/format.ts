export function formatNumber(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function formatDollars(value: number, digits = 2): string {
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits };
  return `$${value.toLocaleString('en-US', options)}`;
}

/** Returns '$0.01953': a price with all its digits. */
export function formatPrice(value: number): string {
  return `$${value.toLocaleString('en-US', { maximumFractionDigits: 6 })}`;
}

/** Returns '12.2 %' of a share between 0 and 1. */
export function formatPercent(share: number, digits = 1): string {
  return `${(share * 100).toFixed(digits)} %`;
}

/** Returns '+1.4', '−1.4' or '0.0': a change with its sign, in the format of the figure. */
export function formatChange(change: number, format: (size: number) => string): string {
  const text = format(Math.abs(change));
  if (!/[1-9]/.test(text)) return text;
  return `${change < 0 ? '−' : '+'}${text}`;
}

/** Returns '1 change', '2 changes'. */
export function countOf(count: number, noun: string): string {
  return `${formatNumber(count)} ${noun}${count === 1 ? '' : 's'}`;
}

export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Returns '12 s ago', 'in 5 min'. */
export function formatAge(iso: string, now: Date): string {
  const ms = now.getTime() - new Date(iso).getTime();
  const text = formatSpan(ms);
  return ms < 0 && text !== '0 s' ? `in ${text}` : `${text} ago`;
}

/** Returns '12 s', '5 min', '3 h' or '9 days', whichever direction. */
export function formatSpan(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1_000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 7_200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} days`;
}

/** Returns 'Deposit history' of 'deposit history'. */
export function capitalise(text: string): string {
  return text.replace(/^./u, (first) => first.toUpperCase());
}

/** Returns '1 Dec 2025' of the first of a month, '2025-12-01'. */
export function formatMonth(day: string): string {
  return new Date(day).toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    timeZone: 'UTC',
  });
}
