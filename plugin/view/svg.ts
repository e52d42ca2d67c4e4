import type { ComponentPicture, Picture } from "../reading/picture.ts";
import { layersOf } from "./layers.ts";
import { kindOf, LOOKS } from "./looks.ts";
import { depthsOf } from "./tree.ts";

const BOX = { width: 168, height: 48 };
const GAP = { x: 72, y: 24 };
const MARGIN = 24;
const TITLE = 36;

/** A place in a column: a component, or a gap through which a line passes on its way to a later column. */
interface Slot {
  readonly name: string;
  readonly needs: readonly string[];
  readonly component?: ComponentPicture;
}

interface Placed extends Slot {
  readonly x: number;
  /** Of its middle. */
  readonly y: number;
}

/** A picture of its own: what is applied first stands on the left, and lines lead to what needs it. */
export function svg(picture: Picture): readonly string[] {
  const layers = layersOf(slotsOf(picture.components));
  const tallest = Math.max(1, ...layers.map((layer) => layer.length));
  const width = 2 * MARGIN + layers.length * BOX.width + Math.max(0, layers.length - 1) * GAP.x;
  const height = 2 * MARGIN + TITLE + tallest * BOX.height + (tallest - 1) * GAP.y;
  const placed = layers.flatMap((layer, column) => placeLayer(layer, column, tallest));
  const title = escaped(`${picture.name} in ${picture.namespace}`);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="system-ui, sans-serif" font-size="13">`,
    `<title>${title}</title>`,
    `<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="#57606a"/></marker></defs>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${MARGIN}" y="${MARGIN + 12}" font-size="15" font-weight="600" fill="#1f2328">${title}</text>`,
    ...lines(placed),
    ...placed.flatMap(box),
    "</svg>",
  ];
}

/** A line over several columns gets a slot in each between, so that it runs through no box. */
function slotsOf(components: readonly ComponentPicture[]): readonly Slot[] {
  const depths = depthsOf(components);
  return components.flatMap((component) => {
    const gaps = component.needs.map((needed) => {
      const between = (depths.get(component.name) ?? 0) - (depths.get(needed) ?? 0) - 1;
      const names = Array.from({ length: Math.max(0, between) }, (_, step) => `${needed}→${component.name} ${step}`);
      return names.map((name, step): Slot => ({ name, needs: [names[step - 1] ?? needed] }));
    });
    const needs = component.needs.map((needed, index) => gaps[index]?.at(-1)?.name ?? needed);
    return [...gaps.flat(), { name: component.name, needs, component }];
  });
}

/** Centred against the tallest layer. */
function placeLayer(layer: readonly Slot[], column: number, tallest: number): readonly Placed[] {
  const free = ((tallest - layer.length) * (BOX.height + GAP.y)) / 2;
  return layer.map((slot, row) => ({
    ...slot,
    x: MARGIN + column * (BOX.width + GAP.x),
    y: MARGIN + TITLE + free + row * (BOX.height + GAP.y) + BOX.height / 2,
  }));
}

/** One path for each need, from box to box. */
function lines(placed: readonly Placed[]): readonly string[] {
  const byName = new Map(placed.map((place) => [place.name, place]));
  const pathTo = (name: string, rest: string): string => {
    const from = byName.get(name);
    if (from === undefined) return "";
    const right = `${from.x + BOX.width} ${from.y}`;
    if (from.component !== undefined) return `M${right}${rest}`;
    return pathTo(from.needs[0] ?? "", `${curve(from, byName.get(from.needs[0] ?? ""))}L${right}${rest}`);
  };
  return placed
    .filter(({ component }) => component !== undefined)
    .flatMap((to) => to.needs.map((name) => pathTo(name, curve(to, byName.get(name)))))
    .filter((path) => path !== "")
    .map((path) => `<path d="${path}" fill="none" stroke="#57606a" stroke-width="1.3" marker-end="url(#tip)"/>`);
}

/** From the right of one to the left of the next. */
function curve(to: Placed, from: Placed | undefined): string {
  if (from === undefined) return "";
  const bend = GAP.x / 2;
  return `C${from.x + BOX.width + bend} ${from.y} ${to.x - bend} ${to.y} ${to.x} ${to.y}`;
}

function box({ component, x, y }: Placed): readonly string[] {
  if (component === undefined) return [];
  const { fill, stroke } = LOOKS[kindOf(component.state)];
  const middle = x + BOX.width / 2;
  return [
    `<rect x="${x}" y="${y - BOX.height / 2}" width="${BOX.width}" height="${BOX.height}" rx="8" fill="${fill}" stroke="${stroke}" stroke-width="1.5"/>`,
    `<text x="${middle}" y="${y - 4}" text-anchor="middle" font-weight="600" fill="#1f2328">${escaped(component.name)}</text>`,
    `<text x="${middle}" y="${y + 13}" text-anchor="middle" font-size="12" fill="#57606a">${escaped(component.state)}</text>`,
  ];
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
