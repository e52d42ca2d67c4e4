import type { Picture } from "../reading/picture.ts";
import { layersOf } from "./layers.ts";
import { type Cell, type Paint, table } from "./text.ts";

/** In the order in which they are applied: what has the same number goes side by side. */
export function graphText(picture: Picture, paint: Paint): readonly string[] {
  const rows = layersOf(picture.components).flatMap((layer, index) =>
    layer.map(({ name, state, needs }, first): readonly Cell[] => [
      first === 0 ? `${index + 1}` : "",
      name,
      state,
      needs.join(", "),
    ]),
  );
  return table(["STEP", "COMPONENT", "STATE", "NEEDS"], rows, paint);
}
