import assert from "node:assert/strict";
import type { Environment } from "../../../operator/api/environment.ts";
import type { EnvironmentStatus } from "../../../operator/api/environment-status.ts";
import { announce } from "../../../operator/environment/events.ts";
import { aComponent, anEnvironment, T0 } from "../../fakes/objects.ts";

type Conditions = Readonly<Record<string, readonly ["True" | "False", string]>>;

function aStatus(conditions: Conditions, line: readonly [state: string, reason: string]): EnvironmentStatus {
  const [state, reason] = line;
  return {
    observedGeneration: 1,
    conditions: Object.entries(conditions).map(([type, [status, why]]) => ({
      type,
      status,
      reason: why,
      message: `because of ${why}`,
      lastTransitionTime: new Date(T0).toISOString(),
    })),
    components: [{ name: "a", state, reason } as never],
  };
}

function told(before: EnvironmentStatus | undefined, after: EnvironmentStatus): readonly string[] {
  const events: string[] = [];
  const event = (_of: Environment, type: string, reason: string, message: string) =>
    void events.push(`${type} ${reason}: ${message}`);
  announce(anEnvironment([aComponent("a")], before === undefined ? {} : { status: before }), after, { event });
  return events;
}

const applying = aStatus({ Ready: ["False", "Progressing"], Stalled: ["False", "Progressing"] }, [
  "Applying",
  "Applying",
]);
const ready = aStatus({ Ready: ["True", "Applied"], Stalled: ["False", "Progressing"] }, ["Ready", "Applied"]);
const broken = aStatus({ Ready: ["False", "OutputMissing"], Stalled: ["True", "OutputMissing"] }, ["Ready", "Applied"]);
const stuck = aStatus({ Ready: ["False", "StateLost"], Stalled: ["True", "StateLost"] }, ["Stalled", "StateLost"]);

describe("The events of an Environment", () => {
  it("tell once that a component, and the whole, became ready", () => {
    assert.deepEqual(told(applying, ready), ["Normal Applied: a is Ready", "Normal Ready: because of Applied"]);
    assert.deepEqual(told(ready, ready), []);
  });

  it("tell of a component that fell, and leave the whole to be concluded", () => {
    assert.deepEqual(told(applying, stuck), ["Warning StateLost: a: Stalled"]);
    assert.deepEqual(told(stuck, stuck), []);
  });

  it("tell once of an apply that was cut off, whatever has become of the component", () => {
    const waiting = aStatus({ Ready: ["False", "AwaitingApproval"] }, ["Planning", "Progressing"]);
    const line = { ...waiting.components?.[0], interrupted: "shop-a-1" } as never;
    const cut = { ...waiting, components: [line] };
    assert.deepEqual(told(applying, cut), ["Warning Interrupted: a: the apply of shop-a-1 was cut off"]);
    assert.deepEqual(told(cut, cut), []);
  });

  it("tell once that a plan waits for people, and how it is approved", () => {
    const waiting = aStatus({ Ready: ["False", "AwaitingApproval"] }, ["AwaitingApproval", "AwaitingApproval"]);
    const message = "kubectl terrarium approve shop: 0 of 1 approvals";
    const held = { ...waiting, components: [{ ...waiting.components?.[0], message } as never] };
    assert.deepEqual(told(applying, held), [`Normal AwaitingApproval: a: ${message}`]);
    assert.deepEqual(told(held, held), []);
  });

  it("tell what is wrong with the whole where every component is well", () => {
    assert.deepEqual(told(ready, broken), ["Warning OutputMissing: because of OutputMissing"]);
    assert.deepEqual(told(broken, broken), []);
  });
});
