import assert from "node:assert/strict";
import { anEnvironment } from "./support/environments.ts";
import { repository } from "./support/git.ts";
import { journey, journeys } from "./support/journey.ts";
import { keeps, keepsVariable } from "./support/modules.ts";
import { outputOf } from "./support/place.ts";

const one = { name: "one", module: keeps("x") };
const git = (facts: object) => ({ git: { url: "http://git.example.com/infra.git", ...facts } });

const refused: readonly (readonly [string, object, RegExp])[] = [
  ["a name with a command in it", { name: "$(reboot)", components: [one] }, /metadata\.name|Invalid value/],
  [
    "a component with a command in its name",
    { name: "x", components: [{ ...one, name: "$(reboot)" }] },
    /lower-case letters|name/,
  ],
  [
    "a component whose name is a path",
    { name: "x", components: [{ ...one, name: "../x" }] },
    /lower-case letters|name/,
  ],
  [
    "a path that leads out",
    { name: "x", source: git({}), components: [{ name: "one", path: "../../etc" }] },
    /stay inside/,
  ],
  [
    "a path that is an option",
    { name: "x", source: git({}), components: [{ name: "one", path: "-chdir=/etc" }] },
    /stay inside/,
  ],
  ["an absolute path", { name: "x", source: git({}), components: [{ name: "one", path: "/etc" }] }, /stay inside/],
  ["a path with a newline", { name: "x", source: git({}), components: [{ name: "one", path: "a\nb" }] }, /stay inside/],
  [
    "a branch that is an option",
    { name: "x", source: git({ ref: { branch: "--upload-pack=touch /tmp/x" } }), components: [{ name: "one" }] },
    /plain git branch/,
  ],
  [
    "a tag with a newline",
    { name: "x", source: git({ ref: { tag: "v1\n--help" } }), components: [{ name: "one" }] },
    /plain git tag/,
  ],
  [
    "a commit that is none",
    { name: "x", source: git({ ref: { commit: "$(id)" } }), components: [{ name: "one" }] },
    /full commit id/,
  ],
  [
    "a transport that runs a program",
    { name: "x", source: { git: { url: "ext::sh -c id" } }, components: [{ name: "one" }] },
    /https?:\/\//,
  ],
  [
    "a file of this machine as repository",
    { name: "x", source: { git: { url: "file:///etc" } }, components: [{ name: "one" }] },
    /https?:\/\//,
  ],
  [
    "a password in an address",
    { name: "x", source: { git: { url: "http://me:secret@git/x.git" } }, components: [{ name: "one" }] },
    /secretRef/,
  ],
  [
    "a variable whose name is an option",
    { name: "x", components: [{ ...one, variables: [{ name: "-var", value: 1 }] }] },
    /letters, digits/,
  ],
  [
    "an inline file whose name is a path",
    { name: "x", source: { inline: { "../main.tf": "" } }, components: [{ name: "one" }] },
    /no folders|key/,
  ],
  [
    "a Secret whose name is a path",
    {
      name: "x",
      components: [{ ...one, variables: [{ name: "v", valueFrom: { secretKeyRef: { name: "../x", key: "k" } } }] }],
    },
    /lower-case letters/,
  ],
];

journeys("hostile strings", () => {
  journey("are refused at the door, with a sentence that helps", async (place) => {
    for (const [title, facts, sentence] of refused) {
      const environment = anEnvironment(facts as Parameters<typeof anEnvironment>[0]);
      await assert.rejects(place.apply(environment), sentence, title);
    }
    assert.equal((await place.runs()).length, 0);
  });

  journey("are data as values: no shell, no interpolation", async (place) => {
    const texts = [
      "$(touch /tmp/owned)",
      "`id`",
      "a\nb\r\n\tc",
      "-oProxyCommand=id",
      "../../etc/passwd",
      `$${"{path.module}"} %{ if true }`,
      '\'; drop table "x"',
      "\u202Eevil ü 🌱 \u0007",
      "x".repeat(100_000),
    ];
    const variables = [{ name: "texts", value: texts }];
    const module = `${keepsVariable("texts", "list(string)")}output "digest" {\n  value = sha256(jsonencode([for text in var.texts : base64encode(text)]))\n}\n`;
    await place.apply(
      anEnvironment({
        name: "data",
        components: [{ name: "one", module, variables }],
        outputs: [{ name: "digest", valueFrom: { output: { component: "one", name: "digest" } } }],
      }),
    );
    const { createHash } = await import("node:crypto");
    const expected = createHash("sha256")
      .update(JSON.stringify(texts.map((text) => Buffer.from(text).toString("base64"))))
      .digest("hex");
    assert.equal(outputOf(await place.untilReady("data"), "digest"), expected);
  });

  journey("are data in paths: odd but harmless folders work", async (place) => {
    const folder = "a folder/with+odd@signs-.v1";
    const infra = await repository(place, "infra", { [`${folder}/main.tf`]: keeps("there") });
    await place.apply(
      anEnvironment({
        name: "paths",
        source: { git: { url: infra.url } },
        components: [{ name: "one", path: folder }],
        outputs: [{ name: "kept", valueFrom: { output: { component: "one", name: "kept" } } }],
      }),
    );
    assert.equal(outputOf(await place.untilReady("paths"), "kept"), "there");
  });
});
