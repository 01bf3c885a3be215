interface Slider {
  /** The first and last position. */
  readonly bounds: () => { readonly first: number; readonly last: number };
  /** How far the Page keys move. */
  readonly page: number;
  readonly nearest: (x: number) => number;
  /** Called with a position, or undefined to go back to the newest. */
  readonly onMove: (position: number | undefined) => void;
}

const steps: Readonly<Record<string, 'one' | 'page' | 'end'>> = {
  ArrowLeft: 'one',
  ArrowDown: 'one',
  ArrowRight: 'one',
  ArrowUp: 'one',
  PageDown: 'page',
  PageUp: 'page',
  Home: 'end',
  End: 'end',
};
const backwards = new Set(['ArrowLeft', 'ArrowDown', 'PageDown', 'Home']);

/** Makes a picture readable point by point: by pointer, by touch and by keyboard. */
export function makeSlider(
  element: HTMLElement,
  label: string,
  { bounds, page, nearest, onMove }: Slider,
): void {
  element.setAttribute('role', 'slider');
  element.setAttribute('tabindex', '0');
  element.setAttribute('aria-label', label);
  const point = (event: PointerEvent): void => {
    onMove(nearest(event.clientX - element.getBoundingClientRect().left));
  };
  element.addEventListener('pointermove', point);
  element.addEventListener('pointerdown', point);
  element.addEventListener('pointerleave', (event) => {
    // After a touch, the reading stays.
    if (event.pointerType === 'mouse') onMove(undefined);
  });
  element.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') onMove(undefined);
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const { first, last } = bounds();
    const size = step === 'one' ? 1 : step === 'page' ? page : last - first;
    const now = Number(element.getAttribute('aria-valuenow') ?? last);
    const next = now + (backwards.has(event.key) ? -size : size);
    onMove(Math.min(last, Math.max(first, next)));
  });
}

/** Says where a slider is. */
export function setSlider(
  element: HTMLElement,
  { first, last, now, text }: { first: number; last: number; now: number; text: string },
): void {
  element.setAttribute('aria-valuemin', String(first));
  element.setAttribute('aria-valuemax', String(last));
  element.setAttribute('aria-valuenow', String(now));
  element.setAttribute('aria-valuetext', text);
}
