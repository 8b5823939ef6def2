import react from "@vitejs/plugin-react";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Ships the script and style of the API's documentation, so that /docs needs no other origin. */
function apiDocumentation(): Plugin {
  const files = ["swagger-ui-bundle.js", "swagger-ui.css"];
  return {
    name: "api-documentation",
    apply: "build",
    async generateBundle() {
      const { resolve } = createRequire(import.meta.url);
      for (const file of files) {
        const source = await readFile(resolve(`swagger-ui-dist/${file}`));
        this.emitFile({ type: "asset", fileName: `docs/${file}`, source });
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), apiDocumentation()],
  build: {
    outDir: "../src/seatcast/web",
    emptyOutDir: true,
    // The page is served under `default-src 'self'`: a data: URL would be refused.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: { "/api": "http://127.0.0.1:3001" },
  },
  test: {
    include: ["src/**/*.test.{ts,tsx}", "packages/*/src/**/*.test.{ts,tsx}"],
    // The client is tested where there is no document at all; what renders names jsdom in its first line.
    environment: "node",
    unstubGlobals: true,
    // As it is, not as it was last built.
    alias: [
      { find: "@seatcast/client/react", replacement: new URL("packages/client/src/react.ts", import.meta.url).pathname },
      { find: "@seatcast/client", replacement: new URL("packages/client/src/index.ts", import.meta.url).pathname },
    ],
  },
});
