import reactHooks from "eslint-plugin-react-hooks";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig(
  { ignores: ["node_modules/"] },
  ...tseslint.configs.strict,
  {
    files: ["src/**/*.{ts,tsx}"],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": ["error", { checksVoidReturn: { attributes: false } }],
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
    },
  },
  { files: ["src/**/*.{ts,tsx}"], ...reactHooks.configs.flat.recommended },
  {
    // live/ runs in a page, in a widget without React and in a test with false time: all three hand it
    // their own socket, clock and document.
    files: ["src/live/**/*.ts", "src/wire.ts"],
    ignores: ["**/*.test.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            { group: ["react", "react-dom", "react/*", "react-dom/*", "@mantine/*"], message: "live/ has no React." },
            { group: ["../*", "!../wire"], message: "live/ knows the wire and itself, nothing else." },
          ],
        },
      ],
      "no-restricted-globals": [
        "error",
        ...["window", "document", "navigator", "location", "localStorage", "fetch", "WebSocket"],
        ...["setTimeout", "clearTimeout", "setInterval", "requestAnimationFrame", "performance", "Date"],
      ],
      "no-restricted-properties": ["error", { object: "Math", property: "random", message: "Take it as an argument." }],
    },
  },
);
