import { type Command, ENVIRONMENT } from "../command.ts";
import { EXIT } from "../exit-codes.ts";
import { readEnvironment, readRuns } from "../lookup.ts";
import { paintOf } from "../printing.ts";
import { type Picture, pictureOf } from "../reading/picture.ts";
import { graphText } from "../view/graph-text.ts";
import { mermaid } from "../view/mermaid.ts";
import { svg } from "../view/svg.ts";
import type { Paint } from "../view/text.ts";

type Drawing = (picture: Picture, paint: Paint) => readonly string[];

const FORMATS = { text: graphText, mermaid, svg } satisfies Readonly<Record<string, Drawing>>;

export const graph: Command = {
  name: "graph",
  summary: "which component needs which, with their states, as text, Mermaid or SVG",
  arguments: [ENVIRONMENT],
  options: [
    {
      name: "output",
      short: "o",
      value: "FORMAT",
      about: "text (default), mermaid or svg",
      offers: Object.keys(FORMATS),
    },
  ],
  details: ["kubectl terrarium graph shop -o svg > shop.svg"],
  async run({ cluster: open, terminal }, said) {
    // Whatever is not among `offers` was refused before.
    const draw: Drawing = FORMATS[(said.value("output") ?? "text") as keyof typeof FORMATS];
    const cluster = await open();
    const environment = await readEnvironment(cluster, said.argument(0));
    const picture = pictureOf(environment, await readRuns(cluster, environment));
    terminal.print(draw(picture, paintOf(terminal)).join("\n"));
    return EXIT.done;
  },
};
