import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { pack } from "tar-stream";

/** A file of an image, with its path from the root. */
export interface ImageFile {
  readonly path: string;
  readonly content: Buffer;
}

interface Blob {
  readonly digest: string;
  readonly content: Buffer;
}

/** Writes an image of one layer as an OCI archive, always the same bytes for the same content. */
export async function writeOciArchive(
  target: string,
  name: string,
  files: readonly ImageFile[],
  entrypoint: readonly string[],
): Promise<void> {
  const layer = blob(await tarOf(files.map(({ path, content }) => ({ path, content, mode: 0o755 }))));
  const config = jsonBlob({
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    config: { Entrypoint: entrypoint },
    rootfs: { type: "layers", diff_ids: [layer.digest] },
  });
  const manifest = jsonBlob({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: descriptor("application/vnd.oci.image.config.v1+json", config),
    layers: [descriptor("application/vnd.oci.image.layer.v1.tar", layer)],
  });
  const index = {
    schemaVersion: 2,
    manifests: [
      {
        ...descriptor("application/vnd.oci.image.manifest.v1+json", manifest),
        annotations: { "io.containerd.image.name": name, "org.opencontainers.image.ref.name": name },
      },
    ],
  };
  const blobs = [layer, config, manifest].map(({ digest, content }) => ({
    path: `blobs/${digest.replace(":", "/")}`,
    content,
    mode: 0o644,
  }));
  const archive = await tarOf([
    { path: "oci-layout", content: Buffer.from('{"imageLayoutVersion":"1.0.0"}'), mode: 0o644 },
    { path: "index.json", content: Buffer.from(JSON.stringify(index)), mode: 0o644 },
    ...blobs,
  ]);
  await pipeline([archive], createWriteStream(target));
}

async function tarOf(files: readonly (ImageFile & { readonly mode: number })[]): Promise<Buffer> {
  const tar = pack();
  for (const { path, content, mode } of files) tar.entry({ name: path, mode, mtime: new Date(0) }, content);
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function jsonBlob(value: object): Blob {
  return blob(Buffer.from(JSON.stringify(value)));
}

function blob(content: Buffer): Blob {
  return { digest: `sha256:${createHash("sha256").update(content).digest("hex")}`, content };
}

function descriptor(mediaType: string, { digest, content }: Blob): object {
  return { mediaType, digest, size: content.length };
}
