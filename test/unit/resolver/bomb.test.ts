import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { constants, deflateRawSync } from "node:zlib";
import { addressRules } from "../../../operator/resolver/address-rules.ts";
import { createAnswerer } from "../../../operator/resolver/answer.ts";
import { createTurns } from "../../../operator/resolver/turns.ts";
import { contentsOf, resolveRef } from "../../../operator/source/git.ts";
import { listenOnLoopback } from "../source/git-server.ts";

const MIB = 1024 * 1024;

const packet = (text: string) => (text.length + 4).toString(16).padStart(4, "0") + text;

/** The beginning of a gzip file that unpacks to so much; a kilobyte or two for each MiB. */
function bomb(mebibytes: number): Buffer {
  const flushed = (content: Buffer) => deflateRawSync(content, { finishFlush: constants.Z_FULL_FLUSH });
  const refs = Buffer.alloc(MIB, packet(`${"a".repeat(40)} refs/heads/${"x".repeat(900)}\n`));
  return Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]),
    flushed(Buffer.from(`${packet("# service=git-upload-pack\n")}0000`)),
    ...new Array<Buffer>(mebibytes).fill(flushed(refs)),
  ]);
}

describe("a git server whose answer unpacks to more than the resolver has", () => {
  let server: Server;
  afterEach(() => server.close());

  it("ends its own lookup, which says so", async () => {
    const body = bomb(400);
    assert.ok(body.length < 2 * MIB, `${body.length} bytes`);
    server = createServer((_request, response) => {
      response.writeHead(200, {
        "content-type": "application/x-git-upload-pack-advertisement",
        "content-encoding": "gzip",
      });
      response.end(body);
    });
    const url = `${await listenOnLoopback(server)}/team/modules.git`;
    const bugs: unknown[] = [];
    const answer = createAnswerer({
      rules: addressRules(["127.0.0.1/32"], []),
      turns: createTurns({ total: 1, perHost: 1, waiting: 1 }),
      resolveRef,
      contentsOf,
      scratch: tmpdir(),
      onBug: (error) => bugs.push(error),
    });
    const said = await answer({ url, ref: { branch: "main" } });
    assert.ok("error" in said, JSON.stringify(said));
    assert.equal(said.error.reason, "GitFailed");
    assert.match(said.error.message, /git needs more memory than it is given for what the server sends/);
    assert.deepEqual(bugs, []);
  });
});
