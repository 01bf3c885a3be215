export type Child = Node | string | undefined;

/**
 * Creates an element. Text becomes text nodes, never markup, because names and reasons come from a
 * database that many may write to.
 */
export function create<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  attributes: Readonly<Record<string, string>> = {},
  ...children: Child[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(
    ...children
      .filter((child) => child !== undefined)
      .map((child) => (typeof child === 'string' ? readable(child) : child)),
  );
  return element;
}

/** Removes direction marks and controls: one in a name would reorder the text around it. */
function readable(text: string): string {
  return text.replace(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, '�');
}

/** Returns an element of index.html. */
export function byId(id: string): HTMLElement {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`index.html has no #${id}`);
  return element;
}

/**
 * Sets the text only if it changed. Otherwise screen readers would repeat it and selections would
 * move.
 */
export function setText(element: HTMLElement, text: string): void {
  const shown = readable(text);
  if (element.textContent !== shown) element.textContent = shown;
}
