/** Elements made and changed without markup, so that a page's Trusted Types have nothing to object to. */

type Tags = HTMLElementTagNameMap;

/** Make an element of a class. */
export function make<Name extends keyof Tags>(
  name: Name,
  className: string,
  ...children: readonly (Node | string)[]
): Tags[Name] {
  const made = document.createElement(name);
  if (className !== "") made.className = className;
  made.append(...children);
  return made;
}

/** Make an element of a class that the site's own style sheet may name too: `::part(...)`, as docs/widget.md has them. */
export function part<Name extends keyof Tags>(
  name: Name,
  named: string,
  ...children: readonly (Node | string)[]
): Tags[Name] {
  const made = make(name, named, ...children);
  made.setAttribute("part", named);
  return made;
}

/** Write a text where it is another: what stays the same is not touched, neither on the screen nor for a screen reader. */
export function write(into: Node, text: string): void {
  if (into.textContent !== text) into.textContent = text;
}

/** Set attributes; null takes one away. */
export function set(on: Element, attributes: Readonly<Record<string, string | null>>): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null) on.removeAttribute(name);
    else if (on.getAttribute(name) !== value) on.setAttribute(name, value);
  }
}
