import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  plugins: [react()],
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
    include: ["src/**/*.test.{ts,tsx}"],
    // `live/` is tested where there is no document at all; what renders names jsdom in its first line.
    environment: "node",
    unstubGlobals: true,
  },
});
