import { z } from "zod";
import { dataKey, durationBetween, objectName, objectRef, repositoryPath, rules } from "./fields.ts";

export const gitRef = z
  .object({
    branch: z.string().min(1).max(255).optional().describe("Branch to follow. A moved branch makes a plan."),
    tag: z.string().min(1).max(255).optional().describe("Tag to use."),
    commit: z
      .string()
      .max(64)
      .regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/)
      .meta({ refusal: "commit must be a full commit id: 40 or 64 hexadecimal digits" })
      .optional()
      .describe("Full commit id (40 or 64 hexadecimal digits). It never moves."),
  })
  .describe("Exactly one of branch, tag and commit. Absent: the branch `main`.")
  .meta(
    rules(
      {
        rule: "[has(self.branch), has(self.tag), has(self.commit)].filter(x, x).size() <= 1",
        message: "name only one of branch, tag and commit",
      },
      {
        rule: "!has(self.branch) || (self.branch.matches('^[A-Za-z0-9_][A-Za-z0-9_./+@-]*$') && !self.branch.contains('..') && !self.branch.contains('@{'))",
        message:
          "branch must be a plain git branch name: it may not begin with '-', and may not hold '..', spaces or control characters",
      },
      {
        rule: "!has(self.tag) || (self.tag.matches('^[A-Za-z0-9_][A-Za-z0-9_./+@-]*$') && !self.tag.contains('..') && !self.tag.contains('@{'))",
        message:
          "tag must be a plain git tag name: it may not begin with '-', and may not hold '..', spaces or control characters",
      },
    ),
  );

const gitSource = z
  .object({
    url: z
      .string()
      .min(1)
      .max(1024)
      .describe("Address of the repository: https:// or http://, without a user or password in it.")
      .meta(
        rules({
          rule: "self.matches('^https?://[A-Za-z0-9.-]+(:[0-9]+)?/[A-Za-z0-9._~/%+-]*$')",
          message: "url must be an https:// or http:// address of a repository; credentials belong in secretRef",
        }),
      ),
    ref: gitRef.optional(),
    interval: durationBetween("10s", "24h")
      .default("5m")
      .describe("How often the branch or tag is looked up, between 10s and 24h."),
    watch: z
      .array(repositoryPath)
      .max(32)
      .optional()
      .describe(
        "Folders and files that matter beside the component's own path, as local modules do. Given (also empty): only a commit that changes something there makes a plan. Absent: every commit does.",
      )
      .meta({ "x-kubernetes-list-type": "set" }),
    secretRef: objectRef
      .optional()
      .describe("Secret with the keys `username` and `password` (or `token`), and optionally `ca.crt`."),
  })
  .describe("A git repository over http(s), without its submodules and without the files of LFS.");

export const source = z
  .object({
    git: gitSource.optional(),
    inline: z
      .record(dataKey, z.string().max(262_144))
      .optional()
      .describe("The files themselves, by name: for small modules and for trying things out.")
      .meta({
        minProperties: 1,
        maxProperties: 64,
        ...rules({
          rule: "self.all(name, name.matches('^[A-Za-z0-9_.][A-Za-z0-9_.-]*$') && name != '.' && name != '..')",
          message: "the name of an inline file consists of letters, digits, '-', '_' and '.'; there are no folders",
        }),
      }),
    configMap: z
      .object({ name: objectName.describe("Name of the ConfigMap; each key is a file of the module.") })
      .optional()
      .describe("A ConfigMap whose keys are the files. Its changes are used by the next Run."),
  })
  .describe("Where the modules come from: exactly one of git, inline and configMap.")
  .meta(
    rules({
      rule: "[has(self.git), has(self.inline), has(self.configMap)].filter(x, x).size() == 1",
      message: "a source is exactly one of git, inline and configMap",
    }),
  );

export type GitRef = z.output<typeof gitRef>;
export type GitSource = z.output<typeof gitSource>;
export type Source = z.output<typeof source>;
