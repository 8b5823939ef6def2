import reactHooks from "eslint-plugin-react-hooks";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig(
  { ignores: ["**/node_modules/", "**/dist/"] },
  ...tseslint.configs.strict,
  {
    files: ["{src,packages}/**/*.{ts,tsx}"],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
    },
  },
  { files: ["{src,packages}/**/*.{ts,tsx}"], ...reactHooks.configs.flat.recommended },
  {
    // The client runs in a page, in a widget without React and in a test with false time: all three hand it their own
    // socket, clock and document. In a page that is browser.ts.
    files: ["packages/client/src/**/*.ts"],
    ignores: ["**/*.test.ts", "packages/client/src/testing/**", "packages/client/src/browser.ts"],
    rules: {
      "no-restricted-globals": [
        "error",
        ...["window", "document", "navigator", "location", "localStorage", "fetch", "WebSocket"],
        ...["setTimeout", "clearTimeout", "setInterval", "requestAnimationFrame", "performance", "Date"],
      ],
      "no-restricted-properties": ["error", { object: "Math", property: "random", message: "Take it as an argument." }],
    },
  },
  {
    files: ["packages/client/src/**/*.ts"],
    ignores: ["**/*.test.ts", "packages/client/src/testing/**", "packages/client/src/react.ts"],
    rules: {
      "no-restricted-imports": ["error", { patterns: [{ group: ["react", "react/*"], message: "React is in react.ts." }] }],
    },
  },
);
