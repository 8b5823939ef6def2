/** What would be published, looked at as it would arrive: `npm run check` runs this, with no network. */
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { rolldown } from "rolldown";

/** Bytes of `createClient`, gzipped, without what a page loads only where WebSockets are blocked. */
const BUDGET = 6_000;

const wrong = [];

const folder = mkdtempSync(join(tmpdir(), "seatcast-client-"));
try {
  // By the npm that runs us: the one on the path may be another.
  const command = [process.env["npm_execpath"], "pack", "--silent", "--ignore-scripts", "--pack-destination", folder];
  execFileSync(process.execPath, command);
  const tarball = readFileSync(join(folder, readdirSync(folder)[0]));

  const { messages, pkg } = await publint({ pack: { tarball: new Uint8Array(tarball).buffer }, strict: true });
  wrong.push(...messages.map((message) => formatMessage(message, pkg, { color: false })));

  // Modules alone: nobody can `require` it, and it does not say so.
  const { problems } = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)));
  const ours = problems.filter(({ kind, resolutionKind }) => {
    return kind !== "CJSResolvesToESM" && resolutionKind !== "node10" && resolutionKind !== "node16-cjs";
  });
  wrong.push(...ours.map((problem) => `types: ${JSON.stringify(problem)}`));
} finally {
  rmSync(folder, { recursive: true });
}

const entry = "\0entry";
const bundle = await rolldown({
  input: entry,
  plugins: [
    {
      name: "entry",
      resolveId: (id) => (id === entry ? id : null),
      load: (id) => (id === entry ? 'export { createClient } from "@seatcast/client";' : null),
    },
  ],
});
const { output } = await bundle.generate({ minify: true, comments: false, format: "esm" });
const size = gzipSync(output[0].code, { level: 9 }).length;
if (size > BUDGET) wrong.push(`${size} bytes gzipped, ${size - BUDGET} more than the budget of ${BUDGET}`);

for (const one of wrong) console.error(`@seatcast/client: ${one}`);
process.exit(wrong.length === 0 ? 0 : 1);
