/** Resources that keep an apply busy until a test lets them go on. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder for the files that resources wait for, for the tests of one `describe`; the answer is the path of one. */
export function flagFolder(): (name: string) => string {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "runner-flags-"));
    // Engines are users of their own.
    chmodSync(folder, 0o777);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  return (name) => join(folder, name);
}

/** Runs for as long as the file named by the variable is missing. */
export const waitingResource = (name: string, file: string) => `
  resource "terraform_data" "${name}" {
    provisioner "local-exec" { command = "while [ ! -e ${file} ]; do sleep 0.05; done" }
  }`;

export async function release(flag: string): Promise<void> {
  writeFileSync(flag, "");
}
