import assert from "node:assert/strict";
import { ApiError, ApiUnreachable } from "../../../operator/cluster/errors.ts";
import type { LogOptions, PodLog } from "../../../operator/cluster/pod-log.ts";
import { RUNS } from "../../../operator/cluster/resources.ts";
import { EXIT } from "../../../plugin/exit-codes.ts";
import { pluginWorld } from "../../fakes/plugin-world.ts";
import { aShopRun, at, shop } from "./shop.ts";

const running = aShopRun("app", 1, {
  observedGeneration: 1,
  phase: "Applying",
  pods: [{ name: "shop-app-1-p", uid: "u1", createdAt: at(1) }],
});
const ended = {
  ...running,
  status: { ...running.status, observedGeneration: 1, phase: "Succeeded" },
} as const;

const broken = new ApiUnreachable("get pods/log", "terminated");
const refused = (status: number) => new ApiError({ request: "get log", status, reason: "Unknown", message: "no" });

/** One answer of the kubelet: what the container has printed, as it stands in its file, and what cuts the stream. */
interface Stream {
  readonly lines: readonly string[];
  readonly cut?: Error;
  /** The Run has closed by then. */
  readonly last?: boolean;
}

/** `logs -f` of a Run whose log is opened so often, with what was asked for each time. */
async function followed(streams: readonly Stream[], ...args: readonly string[]) {
  const asked: Pick<LogOptions, "sinceTime" | "tailLines">[] = [];
  const podLog: PodLog = async function* (_, __, { sinceTime, tailLines }) {
    const stream = streams[asked.length];
    asked.push({ sinceTime, tailLines });
    assert.ok(stream !== undefined, "the log was opened too often");
    if (stream.last) world.client.seed(RUNS, ended);
    yield* stream.lines.filter((line) => sinceTime === undefined || line >= sinceTime.slice(0, -1));
    if (stream.cut !== undefined) throw stream.cut;
  };
  const world = pluginWorld({ environments: [shop()], runs: [running], podLog });
  const spoken = await world.call("logs", "shop-app-1", "-f", ...args);
  return { ...spoken, asked };
}

const [one, two, three] = [
  "2026-01-01T00:00:01.100000000Z one",
  "2026-01-01T00:00:01.200000000Z two",
  "2026-01-01T00:00:02.000000000Z three",
] as const;

describe("kubectl terrarium logs -f", () => {
  it("goes on with the container that is started after one that ended", async () => {
    const { code, out } = await followed([
      { lines: [one] },
      { lines: [two] },
      { lines: [two, three], last: true },
      { lines: [] },
    ]);
    assert.deepEqual([code, out], [EXIT.done, "one\ntwo\nthree"]);
  });

  it("goes on where a connection broke: no line is lost, and none comes twice", async () => {
    const { code, out, err, asked } = await followed(
      [
        { lines: [one], cut: broken },
        { lines: [], cut: refused(503) },
        { lines: [one, two, three], last: true },
        { lines: [] },
      ],
      "--tail",
      "5",
    );
    assert.deepEqual([code, out], [EXIT.done, "one\ntwo\nthree"]);
    assert.equal(err, "The log cannot be read just now: it goes on as soon as the API server answers.");
    const since = { sinceTime: "2026-01-01T00:00:01Z", tailLines: undefined };
    assert.deepEqual(asked.slice(0, 3), [{ sinceTime: undefined, tailLines: 5 }, since, since]);
  });

  it("tells the rest of a Run that closed while the connection was broken", async () => {
    const { out } = await followed([
      { lines: [one], cut: broken, last: true },
      { lines: [], cut: refused(429) },
      { lines: [one, two] },
    ]);
    assert.equal(out, "one\ntwo");
  });

  it("keeps lines of one moment apart", async () => {
    const same = one.replace("one", "another");
    const { out } = await followed([
      { lines: [one], cut: broken },
      { lines: [one, same], last: true },
      { lines: [one, same] },
    ]);
    assert.equal(out, "one\nanother");
  });

  it("keeps lines apart whatever the time zone of the node is, and how fine its clock", async () => {
    const east = (line: string) => line.replace("T00", "T02").replace("Z", "+02:00");
    const coarse = "2026-01-01T00:00:01.15Z between";
    const { out, asked } = await followed([
      { lines: [east(one)], cut: broken },
      { lines: [east(one), coarse, east(two)], last: true },
      { lines: [] },
    ]);
    assert.equal(out, "one\nbetween\ntwo");
    assert.equal(asked[1]?.sinceTime, "2026-01-01T00:00:01Z");
  });

  it("repeats no remark of the kubelet", async () => {
    const remark = "unable to retrieve container logs for containerd://0a";
    const { out } = await followed([{ lines: [remark] }, { lines: [remark], last: true }, { lines: [remark] }]);
    assert.equal(out, remark);
  });

  it("does not wait for rights", async () => {
    const { code } = await followed([{ lines: [one], cut: refused(403) }]);
    assert.equal(code, EXIT.forbidden);
  });
});

describe("kubectl terrarium logs without -f", () => {
  it("says that the API server does not answer", async () => {
    // biome-ignore lint/correctness/useYield: it never comes to that
    const podLog: PodLog = async function* () {
      throw broken;
    };
    const { code, err } = await pluginWorld({ environments: [shop()], runs: [running], podLog }).call("logs", "shop");
    assert.equal(code, EXIT.error);
    assert.match(err, /^The API server does not answer/);
  });
});
