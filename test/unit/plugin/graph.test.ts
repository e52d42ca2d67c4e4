import assert from "node:assert/strict";
import { COMMANDS } from "../../../plugin/commands.ts";
import { EXIT } from "../../../plugin/exit-codes.ts";
import { pictureOf } from "../../../plugin/reading/picture.ts";
import { graphText } from "../../../plugin/view/graph-text.ts";
import { layersOf } from "../../../plugin/view/layers.ts";
import { mermaid } from "../../../plugin/view/mermaid.ts";
import { svg } from "../../../plugin/view/svg.ts";
import { plain } from "../../../plugin/view/text.ts";
import { pluginWorld } from "../../fakes/plugin-world.ts";
import { shop } from "./shop.ts";

const environment = shop({ database: { state: "Failed", reason: "PlanFailed" } });
const picture = pictureOf(environment, []);

describe("the graph of an environment", () => {
  it("as text has a step for what goes side by side", () => {
    assert.equal(
      graphText(picture, plain).join("\n"),
      `
STEP  COMPONENT  STATE   NEEDS
1     network    Ready
2     catalog    Ready   network
      database   Failed  network
3     app        Ready   catalog, database
4     monitor    Ready   app`.trim(),
    );
  });

  it("as Mermaid uses no name as an identifier", () => {
    assert.equal(
      mermaid(picture).join("\n"),
      `
flowchart LR
  c0["network<br/>Ready"]:::done
  c1["catalog<br/>Ready"]:::done
  c2["database<br/>Failed"]:::broken
  c3["app<br/>Ready"]:::done
  c4["monitor<br/>Ready"]:::done
  c0 --> c1
  c0 --> c2
  c1 --> c3
  c2 --> c3
  c3 --> c4
  classDef done fill:#dafbe1,stroke:#1a7f37,color:#1f2328
  classDef broken fill:#ffebe9,stroke:#cf222e,color:#1f2328`.trim(),
    );
  });

  it("as SVG is one well-formed picture with a box and a line for each", () => {
    const text = svg({ ...picture, name: 'a<b>&"c' }).join("\n");
    assert.equal(text.match(/<rect [^>]*rx="8"/g)?.length, 5);
    assert.equal(text.match(/marker-end/g)?.length, 5);
    assert.match(text, /<title>a&lt;b&gt;&amp;&quot;c in team<\/title>/);
    const open: string[] = [];
    for (const [, close, name = "", self] of text.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
      if (close) assert.equal(open.pop(), name);
      else if (!self) open.push(name);
    }
    assert.deepEqual(open, []);
  });

  it("leads a line over several columns around the boxes between", () => {
    const components = picture.components.map((one) =>
      one.name === "app" ? { ...one, needs: ["network", ...one.needs] } : one,
    );
    const paths = svg({ ...picture, components }).filter((line) => line.includes("marker-end"));
    assert.equal(paths.length, 6);
    // Three slots in the middle column, of which the line takes one for itself.
    const long = paths.filter((path) => path.includes("L"));
    assert.equal(long.length, 1);
    const y = Number(/ (\d+)L/.exec(long[0] ?? "")?.[1]);
    const boxes = svg({ ...picture, components }).map((line) => /<rect x="264" y="(\d+)"/.exec(line)?.[1]);
    for (const top of boxes.filter((one) => one !== undefined)) assert.ok(y < Number(top) || y > Number(top) + 48);
  });

  it("puts what needs each other side by side, so that no lines cross that need not", () => {
    const nodes = [
      { name: "a", needs: [] },
      { name: "b", needs: [] },
      { name: "x", needs: ["b"] },
      { name: "y", needs: ["a"] },
    ];
    assert.deepEqual(
      layersOf(nodes).map((layer) => layer.map(({ name }) => name)),
      [
        ["a", "b"],
        ["y", "x"],
      ],
    );
  });
});

describe("kubectl terrarium graph", () => {
  const graph = (...args: readonly string[]) =>
    pluginWorld({ environments: [environment] }).call("graph", "shop", ...args);

  const formats = { text: graphText(picture, plain), mermaid: mermaid(picture), svg: svg(picture) };
  for (const [format, lines] of Object.entries(formats))
    it(`-o ${format} prints that, and nothing else`, async () => {
      assert.deepEqual(await graph("-o", format), { code: EXIT.done, out: lines.join("\n"), err: "" });
    });

  it("prints text unless it is told", async () => {
    assert.equal((await graph()).out, formats.text.join("\n"));
  });

  it("offers exactly these formats", () => {
    const command = COMMANDS.find(({ name }) => name === "graph");
    assert.deepEqual(command?.options.find(({ name }) => name === "output")?.offers, Object.keys(formats));
  });

  for (const format of ["dot", "SVG", "", "constructor"])
    it(`refuses the format "${format}", and prints no other`, async () => {
      const { code, out, err } = await graph(`--output=${format}`);
      assert.deepEqual([code, out], [EXIT.usage, ""]);
      assert.match(err, /^--output is one of text, mermaid, svg, not /);
    });
});
