type Attributes = Readonly<Record<string, string | number>>;

const namespace = 'http://www.w3.org/2000/svg';

/**
 * Creates an SVG element. Colours come from classes and attributes, because the content security
 * policy refuses inline styles.
 */
export function createSvg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): SVGElementTagNameMap[Tag] {
  const element = document.createElementNS(namespace, tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, typeof value === 'number' ? String(round(value)) : value);
  }
  element.append(...children);
  return element;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
