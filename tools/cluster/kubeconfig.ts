import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";

/** How somebody proves to the API server who they are. */
export type Credential = { readonly certificate: string } | { readonly token: string };

/**
 * A kubeconfig with everything inside, so that it can be moved. `certificate` is the base name of a pair in `pkiDir`.
 */
export async function renderKubeconfig(
  contextName: string,
  url: string,
  pkiDir: string,
  credential: Credential,
): Promise<string> {
  const authority = await base64(join(pkiDir, "ca.crt"));
  const user =
    "token" in credential
      ? { token: credential.token }
      : {
          "client-certificate-data": await base64(join(pkiDir, `${credential.certificate}.crt`)),
          "client-key-data": await base64(join(pkiDir, `${credential.certificate}.key`)),
        };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": contextName,
    clusters: [{ name: contextName, cluster: { server: url, "certificate-authority-data": authority } }],
    users: [{ name: contextName, user }],
    contexts: [{ name: contextName, context: { cluster: contextName, user: contextName } }],
  };
  return stringify(config, { lineWidth: 0 });
}

export async function writePrivateFile(file: string, content: string): Promise<void> {
  await writeFile(`${file}.new`, content, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

async function base64(file: string): Promise<string> {
  return (await readFile(file)).toString("base64");
}
