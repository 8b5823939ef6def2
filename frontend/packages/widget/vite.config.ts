/** One file that any page loads with a classic script tag: everything inside, nothing named in the page but the tag. */
import { defineConfig } from "vite";

export default defineConfig({
  // Beside the page that `vite build` of the front end has put there before.
  build: {
    outDir: "../../../src/seatcast/web",
    emptyOutDir: false,
    target: "es2022",
    lib: { entry: "src/main.ts", formats: ["iife"], name: "seatcastWidget", fileName: () => "widget.js" },
    // A file beside this one would have to be allowed and found too.
    rolldownOptions: { output: { codeSplitting: false } },
  },
});
