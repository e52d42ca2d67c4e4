/** Where an Environment's modules come from: inline files, git, and the paths inside. */
import type { Api } from "./admission-server.ts";
import { type Acceptance, itAccepts, itRefuses, type Refusal } from "./admission-verdicts.ts";
import { anEnvironment, bounded, type Change, git, namespaceOfEnvironments } from "./environment-changes.ts";
import { kindsIn } from "./policed-namespace.ts";

const NAMESPACE = "team-sources";
const PATH = `${kindsIn(NAMESPACE)}/environments`;

const branch = (name: string) => git({ ref: { branch: name } });
const tag = (name: string) => git({ ref: { tag: name } });
const path = (text: string): Change => ({ terraform: { path: text } });

const insideSource = "path must stay inside the source: no leading '/' or '-', no '..'";
const webAddress = "url must be an https:// or http:// address of a repository; credentials belong in secretRef";
const watched = "a path begins at the root of the repository";
const plainBranch = "branch must be a plain git branch name";
const plainTag = "tag must be a plain git tag name";

const REFUSED: readonly Refusal<Change>[] = [
  // Sources.
  [
    "two sources",
    { spec: { source: { inline: { "main.tf": "" }, configMap: { name: "modules" } } } },
    "a source is exactly one of git, inline and configMap",
  ],
  ["no kind of source", { spec: { source: {} } }, "a source is exactly one of git, inline and configMap"],
  ["no source at all", { spec: { source: undefined } }, "give a source for the Environment, or one for each component"],
  ["an inline file in a folder", { spec: { source: { inline: { "a/b.tf": "" } } } }, "the name of an inline file"],
  ["an inline file called '..'", { spec: { source: { inline: { "..": "" } } } }, "the name of an inline file"],
  ["an inline file like an option", { spec: { source: { inline: { "-o": "" } } } }, "the name of an inline file"],
  ["an inline file of 1 MB", { spec: { source: { inline: { "main.tf": "x".repeat(1_000_000) } } } }, "Too long"],
  ["a url with ssh", git({ url: "ssh://git@git.example.com/infra.git" }), webAddress],
  ["a url like scp's", git({ url: "git@git.example.com:infra.git" }), webAddress],
  ["a url to a file", git({ url: "file:///etc" }), webAddress],
  ["a url with a remote helper", git({ url: "ext::sh -c touch% /tmp/x" }), webAddress],
  ["a url like an option", git({ url: "--upload-pack=touch /tmp/x" }), webAddress],
  ["a url with credentials", git({ url: "https://me:secret@git.example.com/infra.git" }), webAddress],
  ["a url with a newline", git({ url: "https://git.example.com/infra.git\nhost=evil" }), webAddress],
  ["a url with a command", git({ url: "https://git.example.com/$(id).git" }), webAddress],
  ["a url with a foreign letter", git({ url: "https://gіt.example.com/infra.git" }), webAddress],
  ["a branch like an option", branch("-o"), plainBranch],
  ["a branch with '..'", branch("a..b"), plainBranch],
  ["a branch with a newline", branch("main\nevil"), plainBranch],
  ["a branch with a control character", branch("main\u0007"), plainBranch],
  ["a branch with a command", branch("$(touch x)"), plainBranch],
  ["a branch with '@{'", branch("main@{1}"), plainBranch],
  ["a branch with a foreign letter", branch("mаin"), plainBranch],
  ["an empty branch", branch(""), "at least 1 chars long"],
  ["a tag like an option", tag("--force"), plainTag],
  ["a tag with '..'", tag("v1..v2"), plainTag],
  ["a tag with a newline", tag("v1\n"), plainTag],
  ["branch and tag", git({ ref: { branch: "main", tag: "v1" } }), "name only one of branch, tag and commit"],
  ["a short commit", git({ ref: { commit: "abc123" } }), "commit must be a full commit id"],
  ["a watched path that leads out", git({ watch: ["modules/../../etc"] }), watched],
  ["a watched path that climbs first", git({ watch: ["../modules"] }), watched],
  ["a watched path from the root of a machine", git({ watch: ["/etc"] }), watched],
  ["a watched path that looks like an option", git({ watch: ["--all"] }), watched],
  ["a watched path that ends in a slash", git({ watch: ["modules/"] }), watched],
  ["a watched path twice", git({ watch: ["modules", "modules"] }), "Duplicate value"],
  ["an interval that is too short", git({ interval: "1s" }), bounded],
  ["an interval that is too long", git({ interval: "48h" }), bounded],
  ["an interval beyond any clock", git({ interval: "999999h" }), bounded],
  ["an interval without a unit", git({ interval: "300" }), bounded],
  // Paths.
  ["a path out of the source", path("../other"), insideSource],
  ["a path with '..' inside", path("live/../../x"), insideSource],
  ["an absolute path", path("/etc"), insideSource],
  ["a path like an option", path("-chdir=x"), insideSource],
  ["a path with a newline", path("live\nx"), insideSource],
  ["a path with a command", path("$(id)"), insideSource],
  ["an empty path", path(""), insideSource],
  ["a path of 1 MB", path("x".repeat(1_000_000)), "Too long"],
];

const ACCEPTED: readonly Acceptance<Change>[] = [
  ["watched paths", git({ watch: ["modules", "live/shared/.tool", "versions.tf"] })],
  ["a git source whose components' own paths are all that matters", git({ watch: [] })],
  ["a git source by branch", git({ ref: { branch: "feature/shop-12" }, interval: "90s" })],
  [
    "a git source by tag over http with a port",
    git({ url: "http://git.shop.svc:3000/infra.git", ref: { tag: "v1.2" } }),
  ],
  ["a git source by commit", git({ ref: { commit: "a".repeat(40) } })],
  ["a path with dots in a name", path("live/v1..2/net.work")],
  ["an inline file of 256 KiB", { spec: { source: { inline: { "main.tf": "x".repeat(262_144) } } } }],
];

describe("admission of Environments", function () {
  this.timeout(120_000);
  let api: Api;

  before(async () => {
    api = await namespaceOfEnvironments(NAMESPACE);
  });

  const create = (change: Change) => api.create(PATH, anEnvironment(change));
  itRefuses(REFUSED, create);
  itAccepts(ACCEPTED, create);
});
