/** Bare repositories in a folder, each with the credentials that it asks for. */
import { execFile } from "node:child_process";
import { access, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

const git = promisify(execFile);
const credentialsFile = "credentials.json";

export class Repositories {
  readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  async has(name: string): Promise<boolean> {
    return access(join(this.root, name, "HEAD")).then(
      () => true,
      () => false,
    );
  }

  /** Makes the repository unless it is there; sets (or, without any, removes) its credentials either way. */
  async create(name: string, credentials?: Credentials): Promise<void> {
    const folder = join(this.root, name);
    if (!(await this.has(name))) {
      await mkdir(dirname(folder), { recursive: true });
      const options = ["-c", "init.defaultBranch=main", "init", "--quiet", "--bare"];
      await git("git", [...options, folder]);
      // A reader may ask for any commit by its id, as it can on the large hosting services.
      await git("git", ["-C", folder, "config", "uploadpack.allowAnySHA1InWant", "true"]);
    }
    const file = join(folder, credentialsFile);
    if (credentials === undefined) return rm(file, { force: true });
    await writeFile(`${file}.new`, JSON.stringify(credentials), { mode: 0o600 });
    await rename(`${file}.new`, file);
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.root, name), { recursive: true, force: true });
  }

  async credentials(name: string): Promise<Credentials | undefined> {
    try {
      return JSON.parse(await readFile(join(this.root, name, credentialsFile), "utf8")) as Credentials;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }
}
