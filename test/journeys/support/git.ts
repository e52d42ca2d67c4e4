/** Repositories of the git server in the cluster, as a journey needs them: its own, and its own way to the server. */
import { createRepository, moveRef, pushCommit, removeRepository } from "../../../tools/gitserver/client.ts";
import type { Credentials } from "../../../tools/gitserver/repositories.ts";
import { gitNamespace } from "./installation.ts";
import type { Place } from "./place.ts";

export type Files = Readonly<Record<string, string>>;

export class Repository {
  /** As an Environment names it. */
  readonly url: string;
  readonly #address: string;
  readonly #admin: Credentials;

  constructor(url: string, address: string, admin: Credentials) {
    this.url = url;
    this.#address = address;
    this.#admin = admin;
  }

  /** Puts a commit on a branch and gives its id. */
  push(files: Files, branch = "main"): Promise<string> {
    return pushCommit({ url: this.#address, credentials: this.#admin }, { content: { files }, branch });
  }

  tag(name: string, commit: string): Promise<void> {
    return moveRef({ url: this.#address, credentials: this.#admin }, `refs/tags/${name}`, commit);
  }

  branch(name: string, commit: string): Promise<void> {
    return moveRef({ url: this.#address, credentials: this.#admin }, `refs/heads/${name}`, commit);
  }

  /** From now on readers need these. */
  require(reader: Credentials): Promise<void> {
    return createRepository(this.#address, this.#admin, reader);
  }

  remove(): Promise<void> {
    return removeRepository(this.#address, this.#admin);
  }
}

export async function repository(place: Place, name: string, files?: Files): Promise<Repository> {
  const { git } = place.installation;
  const path = `${place.namespace}/${name}.git`;
  const made = new Repository(`http://git.${gitNamespace}.svc/${path}`, `${git.address}/${path}`, git.admin);
  await createRepository(`${git.address}/${path}`, git.admin);
  if (files !== undefined) await made.push(files);
  return made;
}

/** A git source that is looked at often. */
export function following({ url }: Repository, ref: object = { branch: "main" }, more: object = {}): object {
  return { git: { url, ref, interval: "10s", ...more } };
}
