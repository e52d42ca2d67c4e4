import assert from "node:assert/strict";
import { ApiError, isConflict } from "../../../operator/cluster/errors.ts";
import type { ApplyOptions, KubeObject, Stored, Writer } from "../../../operator/cluster/ports.ts";
import { ENVIRONMENTS } from "../../../operator/cluster/resources.ts";
import { createStatusWriter } from "../../../operator/cluster/status.ts";

interface Environment extends KubeObject {
  readonly status?: unknown;
}

const anEnvironment = (status: unknown): Stored<Environment> => ({
  metadata: {
    name: "shop",
    namespace: "team",
    uid: "u1",
    resourceVersion: "7",
    creationTimestamp: "2030-01-01T00:00:00Z",
    labels: { kept: "by others" },
  },
  status,
});

/** The API server holds `stored`, whatever is believed of it. */
function aWriter(stored?: Stored<Environment>) {
  const applied: { object: KubeObject; options: ApplyOptions | undefined }[] = [];
  const apply: Writer["apply"] = async <T extends KubeObject>(...[, object, options]: Parameters<Writer["apply"]>) => {
    applied.push({ object, options });
    if (stored !== undefined && object.metadata.resourceVersion !== stored.metadata.resourceVersion) {
      throw new ApiError({ request: "apply", status: 409, reason: "Conflict", message: "modified" });
    }
    return object as Stored<T>;
  };
  const get = async <T extends KubeObject>(): Promise<Stored<T>> => {
    assert.ok(stored);
    return stored as KubeObject as Stored<T>;
  };
  return { applied, status: createStatusWriter({ apply, get }) };
}

describe("the status of an object", () => {
  const same: readonly (readonly [string, unknown, unknown])[] = [
    ["keys in another order", { a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }],
    ["fields that are undefined", { a: 1 }, { a: 1, b: undefined }],
    ["conditions in another order", { c: [{ type: "A" }, { type: "B" }] }, { c: [{ type: "B" }, { type: "A" }] }],
    ["components in another order", { c: [{ name: "a" }, { name: "b" }] }, { c: [{ name: "b" }, { name: "a" }] }],
  ];
  for (const [name, current, next] of same) {
    it(`is not written for ${name}`, async () => {
      const { status, applied } = aWriter();
      assert.equal(await status.write(ENVIRONMENTS, anEnvironment(current), next ?? {}), false);
      assert.equal(applied.length, 0);
    });
  }

  const different: readonly (readonly [string, unknown, unknown])[] = [
    ["a first status", undefined, { a: 1 }],
    ["a value", { a: 1 }, { a: 2 }],
    ["a field that is gone", { a: 1, b: 2 }, { a: 1 }],
    ["a plain list in another order", { a: ["x", "y"] }, { a: ["y", "x"] }],
    ["null for nothing", { a: null }, {}],
    ["one item less", { c: [{ name: "a" }, { name: "b" }] }, { c: [{ name: "a" }] }],
  ];
  for (const [name, current, next] of different) {
    it(`is written for ${name}`, async () => {
      const { status, applied } = aWriter();
      assert.equal(await status.write(ENVIRONMENTS, anEnvironment(current), next ?? {}), true);
      assert.equal(applied.length, 1);
    });
  }

  it("says nothing about what is not status, and holds for this object alone", async () => {
    const { status, applied } = aWriter();
    await status.write(ENVIRONMENTS, anEnvironment(undefined), { a: 1 });
    assert.deepEqual(applied[0]?.object, {
      metadata: { name: "shop", namespace: "team", uid: "u1", resourceVersion: "7" },
      status: { a: 1 },
    });
    assert.equal(applied[0]?.options?.subresource, "status");
  });

  describe("when the object has changed since it was read", () => {
    const moved = (status: unknown, uid = "u1"): Stored<Environment> => {
      const { metadata } = anEnvironment(undefined);
      return { metadata: { ...metadata, uid, resourceVersion: "8" }, status };
    };
    const write = (stored: Stored<Environment>, options = {}) => {
      const { status, applied } = aWriter(stored);
      return { applied, writing: status.write(ENVIRONMENTS, anEnvironment(undefined), { a: 1 }, options) };
    };

    it("is written on the new version", async () => {
      const { writing, applied } = write(moved(undefined));
      assert.equal(await writing, true);
      assert.deepEqual(
        applied.map(({ object }) => object.metadata.resourceVersion),
        ["7", "8"],
      );
    });

    it("is not written again when it is there by now: the answer to an earlier write was lost", async () => {
      assert.equal(await write(moved({ a: 1 })).writing, false);
    });

    it("is not written over a newer status: that was decided later", async () => {
      const { writing, applied } = write(moved({ a: 2 }));
      assert.equal(await writing, false);
      assert.equal(applied.length, 1);
    });

    it("is refused when that was asked for", async () => {
      const { writing, applied } = write(moved(undefined), { ifUnchanged: true });
      await assert.rejects(writing, isConflict);
      assert.equal(applied.length, 1);
    });

    it("is refused when it is another object now", async () => {
      const { writing, applied } = write(moved(undefined, "u2"));
      await assert.rejects(writing, isConflict);
      assert.equal(applied.length, 1);
    });
  });
});
