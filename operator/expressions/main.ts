/** A thread that evaluates expressions about plans, one after another, and may be ended at any moment. */
import { parentPort } from "node:worker_threads";
import { evaluateExpression } from "../approval/expression.ts";
import type { Question } from "./thread.ts";

parentPort?.on("message", ({ text, facts }: Question) => parentPort?.postMessage(evaluateExpression(text, facts)));
parentPort?.postMessage("ready");
