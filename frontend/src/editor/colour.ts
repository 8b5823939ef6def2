/** A person's colour, made of the name: the same for everybody who looks, and legible in both themes. */

/**
 * Light enough for 3:1 against the dark page, dark enough for 4.5:1 against white: white words can be written on it, and
 * it can be seen on either page.
 */
const LUMINANCE = 0.162;
const SATURATION = 0.72;

export function colourOf(name: string): string {
  const hue = hash(name) % 360;
  let [dark, light] = [0, 1];
  for (let step = 0; step < 20; step += 1) {
    const middle = (dark + light) / 2;
    if (luminance(rgb(hue, middle)) < LUMINANCE) dark = middle;
    else light = middle;
  }
  const written = rgb(hue, dark).map((part) => Math.round(part * 255).toString(16).padStart(2, "0"));
  return `#${written.join("")}`;
}

/** FNV-1a, then mixed so that names that differ in their last letter alone are far apart. */
function hash(text: string): number {
  let mixed = 0x811c9dc5;
  for (const letter of text) mixed = Math.imul(mixed ^ (letter.codePointAt(0) ?? 0), 0x01000193);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return (mixed ^ (mixed >>> 13)) >>> 0;
}

type Rgb = readonly [number, number, number];

/** HSL to sRGB, each part from 0 to 1. */
function rgb(hue: number, lightness: number): Rgb {
  const reach = SATURATION * Math.min(lightness, 1 - lightness);
  const part = (offset: number): number => {
    const at = (offset + hue / 30) % 12;
    return lightness - reach * Math.max(-1, Math.min(at - 3, 9 - at, 1));
  };
  return [part(0), part(8), part(4)];
}

/** The relative luminance of WCAG. */
function luminance([red, green, blue]: Rgb): number {
  const linear = (part: number): number => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
}
