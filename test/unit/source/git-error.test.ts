import assert from "node:assert/strict";
import { type GitReason, gitErrorFrom, scrub } from "../../../operator/source/git-error.ts";

describe("gitErrorFrom", () => {
  const url = "https://git.example.com/team/ssl-certificate-tls.git";
  const table: readonly [string, GitReason][] = [
    [`fatal: unable to access '${url}/': Could not resolve host: git.example.com`, "GitHostUnknown"],
    [
      `fatal: unable to access '${url}/': Failed to connect to git.example.com port 443 after 3 ms: Couldn't connect to server`,
      "GitHostUnknown",
    ],
    [`fatal: unable to access '${url}/': Connection timed out after 300 ms`, "GitHostUnknown"],
    [
      `error: RPC failed; curl 28 Operation too slow. Less than 100 bytes/sec transferred the last 20 seconds`,
      "GitHostUnknown",
    ],
    [`fatal: unable to access '${url}/': The requested URL returned error: 503`, "GitHostUnknown"],
    [`fatal: could not read Username for 'https://git.example.com': terminal prompts disabled`, "GitUnauthorized"],
    [`remote: HTTP Basic: Access denied\nfatal: Authentication failed for '${url}/'`, "GitUnauthorized"],
    [`fatal: unable to access '${url}/': The requested URL returned error: 403`, "GitUnauthorized"],
    [`remote: Repository not found.\nfatal: repository '${url}/' not found`, "GitRepositoryNotFound"],
    [`fatal: ${url}/info/refs not valid: is this a git repository?`, "GitRepositoryNotFound"],
    [`fatal: couldn't find remote ref refs/heads/nope`, "GitRefNotFound"],
    [`fatal: remote error: upload-pack: not our ref ${"a".repeat(40)}`, "GitRefNotFound"],
    [
      `fatal: unable to access '${url}/': server certificate verification failed. CAfile: none CRLfile: none`,
      "GitFailed",
    ],
    [`fatal: unable to access '${url}/': SSL certificate problem: self-signed certificate`, "GitFailed"],
    [`fatal: Out of memory, realloc failed`, "GitFailed"],
    [`fatal: the remote end hung up unexpectedly`, "GitFailed"],
    ["", "GitFailed"],
  ];
  for (const [stderr, reason] of table) {
    it(`${reason}: ${stderr.split("\n").at(-1)?.slice(0, 90)}`, () => {
      const error = gitErrorFrom(stderr, url);
      assert.equal(error.reason, reason, error.message);
      assert.ok(error.message.startsWith(`${url}: `));
    });
  }

  it("is one short line without control characters, whatever a server sends", () => {
    const error = gitErrorFrom(`remote: \u001b[31mred\u0007\nfatal: ${"x".repeat(5000)}\r\nhint: try this`, url);
    assert.match(error.message, /^[\x20-\x7e…]{1,500}$/);
  });

  it("quotes the failure, not the progress", () => {
    const error = gitErrorFrom("Cloning into 'x'...\nremote: Counting objects: 3\nfatal: early EOF\n", url);
    assert.match(error.message, /\(git: early EOF\)$/);
  });
});

describe("scrub", () => {
  const table: readonly [string, readonly string[], string][] = [
    ["at https://user:pw@host/x", [], "at https://host/x"],
    ["token@host: HTTPS://t0ken@host/", [], "token@host: HTTPS://host/"],
    ["said p%w/ and p%25w%2F and cCV3Lw==", ["p%w/"], "said *** and *** and ***"],
    ["nothing to hide", [""], "nothing to hide"],
  ];
  for (const [text, secrets, expected] of table) {
    it(text, () => assert.equal(scrub(text, secrets), expected));
  }
});
