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

/** Puts `src/scheme.js` before everything else in the page, as a file that is cached for ever like the others. */
function themeBeforeFirstPaint(): Plugin {
  const name = "scheme.js";
  return {
    name: "theme-before-first-paint",
    apply: "build",
    async buildStart() {
      const source = await readFile(new URL(`src/${name}`, import.meta.url), "utf8");
      this.emitFile({ type: "asset", name, source });
    },
    transformIndexHtml: {
      order: "post",
      handler(_, { bundle = {} }) {
        const file = Object.values(bundle).find((one) => one.type === "asset" && one.names.includes(name));
        if (file === undefined) throw new Error(`${name} was not emitted`);
        return [{ tag: "script", attrs: { src: `/${file.fileName}` }, injectTo: "head-prepend" }];
      },
    },
  };
}

export default defineConfig({
  plugins: [react(), apiDocumentation(), themeBeforeFirstPaint()],
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
