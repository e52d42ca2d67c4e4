/** A plan that waits and calls a module of another repository, which may have moved when it is applied. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engineNames } from "../../operator/engine/names.ts";
import { parseOutputs } from "../../operator/engine/outputs.ts";
import type { WorkOrder } from "../../operator/gateway/protocol.ts";
import { packBundle, unpackBundle } from "../../runner/agent/bundle.ts";
import { FILES } from "../../runner/agent/layout.ts";
import { aRepository, type GitServerOptions, type Repository, startGitServer } from "../unit/source/git-server.ts";
import { heldPods } from "./held-pods.ts";
import type { RunnerPodOptions } from "./pod.ts";

const noteModule = `
  variable "printed" {}
  resource "terraform_data" "number" {
    provisioner "local-exec" {
      command = "\${path.module}/tool.sh > \${var.printed}"
    }
  }
  output "letter" { value = templatefile("\${path.module}/letter.tftpl", { number = terraform_data.number.id }) }`;

const callOf = (source: string, printed: string) => `
  module "note" {
    source  = "${source}"
    printed = "${printed}"
  }
  output "letter" { value = module.note.letter }`;

const access: WorkOrder["credentials"][number] = {
  name: "modules",
  secretRef: { name: "modules-git" },
  as: "Git",
  phases: ["Plan", "Apply", "Destroy"],
  keepForDestroy: false,
};

const nothing = () => Promise.resolve();

const secretOf = ({ secretRef }: typeof access, values: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [`${secretRef.name}/${key}`, value]));

describe("a plan that waits with a module of another repository", function () {
  this.timeout(90_000);
  const { start, held } = heldPods();
  let folder = "";
  let repository: Repository;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "held-modules-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  beforeEach(async () => {
    repository = await aRepository();
    await push("as approved");
  });
  afterEach(() => repository.remove());

  /** All that the module reads and runs while it is applied, in one commit. */
  const push = (words: string) =>
    repository.commit(
      "main",
      {
        "note/main.tf": noteModule,
        "note/letter.tftpl": `${words}: \${number}`,
        "note/tool.sh": `#!/bin/sh\ncat "$(dirname "$0")/link.txt"\n`,
        "note/link.txt": "../words.txt",
        "words.txt": words,
      },
      { links: ["note/link.txt"], programs: ["note/tool.sh"] },
    );

  /** The first pod plans, something happens, the second pod applies. */
  async function applied(options: RunnerPodOptions, meanwhile: () => Promise<unknown>) {
    const { first, plan, stored } = await held(options);
    await meanwhile();
    const order = { ...options.order, source: { archive: { digest: "", size: 0 } }, phase: "Apply" } as const;
    const second = await start({ ...options, secrets: {}, like: first, order: { ...order, held: plan }, stored });
    assert.deepEqual(await second.ended(), { agent: 0, engine: 0 }, second.log());
    assert.equal(second.outcome()?.result, "Applied", second.log());
    assert.equal(second.gateway.memory.plans[0]?.inputsDigest, plan.inputsDigest, "no input has changed");
    return parseOutputs(second.gateway.memory.state?.toString() ?? "");
  }

  for (const engine of engineNames) {
    const calling = (url: string, printed: string) => ({
      inline: { "main.tf": callOf(`git::${url}//note?ref=main`, printed) },
    });

    it(`reads and runs that module's files as they were approved, although its branch has moved, with ${engine}`, async () => {
      const printed = join(folder, `moved-${engine}.txt`);
      const source = calling(`file://${repository.root}/modules.git`, printed);
      const outputs = await applied({ engine, order: { source } }, () => push("as of today"));
      assert.match(String(outputs[0]?.value), /^as approved: [-0-9a-f]{36}$/);
      assert.equal(readFileSync(printed, "utf8"), "as approved");
    });

    it(`needs neither that repository nor access to it any more, with ${engine}`, async () => {
      const login: GitServerOptions["login"] = { username: "reader", password: "a-reader's-password" };
      const server = await startGitServer(repository.root, { login });
      try {
        const printed = join(folder, `gone-${engine}.txt`);
        const source = calling(`${server.url}/modules.git`, printed);
        const outputs = await applied(
          { engine, order: { source, credentials: [access] }, secrets: secretOf(access, login) },
          () => server.close(),
        );
        assert.match(String(outputs[0]?.value), /^as approved: /);
        assert.equal(readFileSync(printed, "utf8"), "as approved");
      } finally {
        await server.close();
      }
    });

    it(`is not applied with that module as it is today, where it did not wait with the plan, with ${engine}`, async () => {
      const printed = join(folder, `never-${engine}.txt`);
      const order = { source: calling(`file://${repository.root}/modules.git`, printed) };
      const { first, plan, stored } = await held({ engine, order });
      const second = await start({
        engine,
        like: first,
        order: { source: { archive: { digest: "", size: 0 } }, phase: "Apply", held: plan },
        stored: { ...stored, bundle: await withoutModules(stored.bundle) },
      });
      assert.deepEqual(await second.ended(), { agent: 0, engine: 1 }, second.log());
      assert.match(second.outcome()?.message ?? "", /Module not installed/);
      assert.deepEqual(second.gateway.memory.plans, [], "nobody was even asked");
      assert.equal(existsSync(printed), false);
    });
  }

  it("reads a module of the runner's image there", async () => {
    const printed = join(folder, "image.txt");
    const image = join(folder, "modules/note");
    mkdirSync(image, { recursive: true });
    writeFileSync(join(image, "main.tf"), noteModule);
    writeFileSync(join(image, "letter.tftpl"), "of the image");
    writeFileSync(join(image, "tool.sh"), "#!/bin/sh\necho of the image\n", { mode: 0o755 });
    const outputs = await applied({ order: { source: { inline: { "main.tf": callOf(image, printed) } } } }, nothing);
    assert.equal(outputs[0]?.value, "of the image");
  });

  /** The plan alone. */
  async function withoutModules(bundle: Buffer): Promise<Buffer> {
    const at = mkdtempSync(join(folder, "bundle-"));
    const [inside, out, work] = ["in", "out", "out/work"].map((name) => join(at, name)) as [string, string, string];
    mkdirSync(work, { recursive: true });
    writeFileSync(join(out, FILES.plan), await unpackBundle(bundle, join(at, "overlay")));
    return packBundle({ in: inside, out, work });
  }
});
