/** The level as a shape, so that it is not told by colour alone: disc, triangle, diamond, square. Words stand beside it. */
import type { Level } from "../../../src/level";

const SVG = "http://www.w3.org/2000/svg";
/** The shape in the level's colour, and the sign in it. */
const PATHS: Readonly<Record<Level, readonly [shape: string, sign: string]>> = {
  many: ["M8 .5a7.5 7.5 0 1 1 0 15a7.5 7.5 0 1 1 0-15", "M4.8 8.3l2.2 2.2 4.2-4.6"],
  few: ["M8 .9l7.4 13.6H.6z", "M8 6v4M8 12.3v0"],
  last: ["M8 .2L15.8 8 8 15.8.2 8z", "M8 4.3v4.2M8 11.2v0"],
  none: ["M1 1h14v14H1z", "M4.5 8h7"],
};

function path(drawing: string, name: string): SVGPathElement {
  const made = document.createElementNS(SVG, "path");
  made.setAttribute("d", drawing);
  made.setAttribute("class", name);
  return made;
}

/** Make an empty drawing; `shape` fills it. */
export function drawing(): SVGSVGElement {
  const made = document.createElementNS(SVG, "svg");
  made.setAttribute("viewBox", "0 0 16 16");
  made.setAttribute("aria-hidden", "true");
  made.append(path("", "shape"), path("", "sign"));
  return made;
}

export function shape(into: SVGSVGElement, level: Level): void {
  PATHS[level].forEach((drawing, at) => into.children[at]?.setAttribute("d", drawing));
}
