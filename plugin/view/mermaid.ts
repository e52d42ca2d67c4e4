import type { Picture } from "../reading/picture.ts";
import { kindOf, LOOKS } from "./looks.ts";

/** A flowchart for whatever renders Mermaid, such as a README or a merge request. */
export function mermaid(picture: Picture): readonly string[] {
  const { components } = picture;
  // Names may be words of Mermaid's own, such as `end`.
  const ids = new Map(components.map(({ name }, index) => [name, `c${index}`]));
  const nodes = components.map(({ name, state }) => `  ${ids.get(name)}["${name}<br/>${state}"]:::${kindOf(state)}`);
  const edges = components.flatMap(({ name, needs }) =>
    needs.map((needed) => `  ${ids.get(needed)} --> ${ids.get(name)}`),
  );
  const kinds = [...new Set(components.map(({ state }) => kindOf(state)))];
  const classes = kinds.map((kind) => {
    const { fill, stroke } = LOOKS[kind];
    return `  classDef ${kind} fill:${fill},stroke:${stroke},color:#1f2328`;
  });
  return ["flowchart LR", ...nodes, ...edges, ...classes];
}
