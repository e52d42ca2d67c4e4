/** kubectl and helm, always aimed at the same cluster. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { command } from "../cluster/command.ts";

export interface Aim {
  readonly kubectlPath: string;
  readonly helmPath: string;
  /** `--kubeconfig FILE` or `--context NAME`, as kubectl takes it. */
  readonly kubectlFlags: readonly string[];
  readonly helmFlags: readonly string[];
}

export interface Forward {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  close(): void;
}

export class Kubectl {
  readonly #aim: Aim;

  constructor(aim: Aim) {
    this.#aim = aim;
  }

  run(args: readonly string[], input?: string): Promise<string> {
    const timeoutSeconds = 180;
    return command(this.#aim.kubectlPath, [...this.#aim.kubectlFlags, ...args], {
      timeoutSeconds,
      ...(input === undefined ? {} : { input }),
    });
  }

  helm(args: readonly string[], input: string): Promise<string> {
    return command(this.#aim.helmPath, [...args, ...this.#aim.helmFlags], { input, timeoutSeconds: 400 });
  }

  /** Creates or changes objects; their field manager is the demo, so that a person's own changes are seen as theirs. */
  async apply(manifests: string): Promise<void> {
    await this.run(
      ["apply", "--server-side", "--force-conflicts", "--field-manager=terrarium-demo", "-f", "-"],
      manifests,
    );
  }

  /** The object, or undefined when it does not exist. */
  async get<T>(kind: string, name: string, namespace: string): Promise<T | undefined> {
    const text = await this.run(["get", kind, name, "--namespace", namespace, "--ignore-not-found", "-o", "json"]);
    return text.trim() === "" ? undefined : (JSON.parse(text) as T);
  }

  /** Calls back with each line that a watching kubectl prints, until it ends (servers end watches) or `signal` fires. */
  async lines(args: readonly string[], signal: AbortSignal, onLine: (line: string) => void): Promise<void> {
    const child = spawn(this.#aim.kubectlPath, [...this.#aim.kubectlFlags, ...args], {
      stdio: ["ignore", "pipe", "ignore"],
      signal,
    });
    createInterface({ input: child.stdout }).on("line", onLine);
    await new Promise<void>((resolve) => {
      child.once("error", () => resolve());
      child.once("close", () => resolve());
    });
  }

  /** A port of this machine that leads to a Service. */
  async forward(namespace: string, service: string, port: number): Promise<Forward> {
    const args = ["port-forward", "--namespace", namespace, `service/${service}`, `:${port}`, "--address", "127.0.0.1"];
    const child = spawn(this.#aim.kubectlPath, [...this.#aim.kubectlFlags, ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let complaint = "";
    child.stderr.on("data", (chunk: Buffer) => {
      complaint += String(chunk);
    });
    const url = await new Promise<string>((resolve, reject) => {
      createInterface({ input: child.stdout }).on("line", (line) => {
        const found = /127\.0\.0\.1:(\d+)/.exec(line)?.[1];
        if (found !== undefined) resolve(`http://127.0.0.1:${found}`);
      });
      child.once("error", reject);
      child.once("close", () =>
        reject(new Error(`kubectl port-forward to ${namespace}/${service} ended: ${complaint.trim()}`)),
      );
    });
    return { url, close: () => child.kill() };
  }
}
