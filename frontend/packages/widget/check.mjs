/** What pages would load, looked at before it is served: `npm run check` runs this. */
import { gzipSync } from "node:zlib";
import { build } from "vite";

/** Bytes of the whole file, the client library inside, gzipped. */
const BUDGET = 15_000;

const [{ output }] = await build({ logLevel: "warn", build: { write: false } });
const wrong = output.length === 1 ? [] : [`${output.length} files instead of one`];
const { code } = output[0];
const size = gzipSync(code, { level: 9 }).length;
if (size > BUDGET) wrong.push(`${size} bytes gzipped, ${size - BUDGET} more than the budget of ${BUDGET}`);
// A page's strict policy would stop these (docs/widget.md).
const refused = /\beval\(|\bnew Function\b|\.innerHTML\b|\bcreateElement\("style"\)/.exec(code);
if (refused !== null) wrong.push(`${refused[0]} in what pages load`);

for (const one of wrong) console.error(`@seatcast/widget: ${one}`);
process.exit(wrong.length === 0 ? 0 : 1);
