import type { ComponentPicture, Picture } from "../reading/picture.ts";
import { layersOf } from "./layers.ts";
import { kindOf, LOOKS } from "./looks.ts";

const BOX = { width: 168, height: 48 };
const GAP = { x: 72, y: 24 };
const MARGIN = 24;
const TITLE = 36;

interface Placed {
  readonly component: ComponentPicture;
  readonly x: number;
  readonly y: number;
}

/** A picture of its own: what is applied first stands on the left, and lines lead to what needs it. */
export function svg(picture: Picture): readonly string[] {
  const layers = layersOf(picture.components);
  const tallest = Math.max(1, ...layers.map((layer) => layer.length));
  const width = 2 * MARGIN + layers.length * BOX.width + Math.max(0, layers.length - 1) * GAP.x;
  const height = 2 * MARGIN + TITLE + tallest * BOX.height + (tallest - 1) * GAP.y;
  const placed = layers.flatMap((layer, column) => placeLayer(layer, column, tallest));
  const title = `${picture.name} in ${picture.namespace}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="system-ui, sans-serif" font-size="13">`,
    `<title>${escaped(title)}</title>`,
    `<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto"><path d="M0 0 8 4 0 8z" fill="#57606a"/></marker></defs>`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    `<text x="${MARGIN}" y="${MARGIN + 12}" font-size="15" font-weight="600" fill="#1f2328">${escaped(title)}</text>`,
    ...linesBetween(placed),
    ...placed.flatMap(box),
    "</svg>",
  ];
}

/** Centred against the tallest layer. */
function placeLayer(layer: readonly ComponentPicture[], column: number, tallest: number): readonly Placed[] {
  const free = ((tallest - layer.length) * (BOX.height + GAP.y)) / 2;
  return layer.map((component, row) => ({
    component,
    x: MARGIN + column * (BOX.width + GAP.x),
    y: MARGIN + TITLE + free + row * (BOX.height + GAP.y),
  }));
}

function linesBetween(placed: readonly Placed[]): readonly string[] {
  const byName = new Map(placed.map((place) => [place.component.name, place]));
  return placed.flatMap((to) =>
    to.component.needs.flatMap((needed) => {
      const from = byName.get(needed);
      return from === undefined ? [] : [line(from, to)];
    }),
  );
}

function line(from: Placed, to: Placed): string {
  const [x1, y1] = [from.x + BOX.width, from.y + BOX.height / 2];
  const [x2, y2] = [to.x, to.y + BOX.height / 2];
  const bend = GAP.x / 2;
  return `<path d="M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}" fill="none" stroke="#57606a" stroke-width="1.3" marker-end="url(#tip)"/>`;
}

function box({ component, x, y }: Placed): readonly string[] {
  const { fill, stroke } = LOOKS[kindOf(component.state)];
  const middle = x + BOX.width / 2;
  return [
    `<rect x="${x}" y="${y}" width="${BOX.width}" height="${BOX.height}" rx="8" fill="${fill}" stroke="${stroke}" stroke-width="1.5"/>`,
    `<text x="${middle}" y="${y + 20}" text-anchor="middle" font-weight="600" fill="#1f2328">${escaped(component.name)}</text>`,
    `<text x="${middle}" y="${y + 37}" text-anchor="middle" font-size="12" fill="#57606a">${escaped(component.state)}</text>`,
  ];
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
