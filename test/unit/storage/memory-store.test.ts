import { memoryStore } from "../../fakes/memory-store.ts";
import { describesAStateStore } from "./store-contract.ts";

describe("the state store in memory", () => {
  describesAStateStore(() => memoryStore());
});
