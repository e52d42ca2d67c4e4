import assert from "node:assert/strict";
import { createLogger, type LogFacts } from "../../../operator/telemetry/logger.ts";

function aLog(level: "debug" | "info" | "silent" = "info", facts: LogFacts = {}) {
  const lines: string[] = [];
  const logger = createLogger({ level, facts }, { write: (line) => void lines.push(line) });
  return { logger, lines, last: () => JSON.parse(lines.at(-1) ?? "{}") as Record<string, unknown> };
}

describe("createLogger", () => {
  it("writes one JSON line with level, time, message and facts", () => {
    const { logger, last } = aLog("info", { program: "operator" });
    logger.warn("it waits", { run: "shop-network-1" });
    const { time, ...rest } = last();
    assert.match(String(time), /^\d{4}-\d\d-\d\dT/);
    assert.deepEqual(rest, {
      level: "warn",
      program: "operator",
      run: "shop-network-1",
      message: "it waits",
    });
  });

  it("writes nothing below its level", () => {
    const { logger, lines } = aLog("info");
    logger.debug("details");
    assert.deepEqual(lines, []);
    const silent = aLog("silent");
    silent.logger.error("even this");
    assert.deepEqual(silent.lines, []);
  });

  const hidden: readonly LogFacts[] = [
    { password: "hunter2" },
    { credentials: { username: "u", password: "hunter2" } },
    { request: { headers: { authorization: "Bearer hunter2" } } },
    { a: { b: { c: { token: "hunter2" } } } },
    { object: { data: { key: "hunter2" } } },
    { variables: [{ name: "db", value: "hunter2" }] },
  ];
  for (const facts of hidden) {
    it(`blots out ${JSON.stringify(facts).replace("hunter2", "…")}`, () => {
      const { logger, lines } = aLog();
      logger.info("look", facts);
      assert.equal(lines.length, 1);
      assert.doesNotMatch(lines.join(""), /hunter2/);
    });
  }

  it("tells an error by name, message, stack and causes, without what clients hang on it", () => {
    const { logger, lines, last } = aLog();
    const cause = Object.assign(new TypeError("socket closed"), { request: { secretHeader: "hunter2" } });
    logger.error("it failed", { error: Object.assign(new Error("no answer", { cause }), { body: "hunter2" }) });
    const error = last().error as { name: string; message: string; stack: string; cause: { message: string } };
    assert.equal(error.message, "no answer");
    assert.equal(error.cause.message, "socket closed");
    assert.match(error.stack, /logger\.test/);
    assert.doesNotMatch(lines.join(""), /hunter2/);
  });

  it("does not print thrown things that are no errors", () => {
    const { logger, lines } = aLog();
    logger.error("it failed", { error: { body: "hunter2" } });
    assert.doesNotMatch(lines.join(""), /hunter2/);
  });
});
