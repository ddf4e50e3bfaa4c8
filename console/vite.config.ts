import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** The cloud that `npm run dev` passes the API's requests on to. */
const cloud = process.env.SKERRY_URL ?? "http://127.0.0.1:8420";
const ways = ["/providers", "/catalogue.json", "/openapi.json", "/sign-in", "/gateway"];

/** Writes what is text beside itself in Brotli's form: a sixth smaller than what the server makes. */
function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    // From what was written: until then other plugins still change it.
    async writeBundle({ dir = "dist" }, bundle) {
      const params = { [constants.BROTLI_PARAM_QUALITY]: 11 };
      for (const fileName of Object.keys(bundle).filter((name) => /\.(js|css)$/.test(name))) {
        const source = await readFile(join(dir, fileName));
        if (source.length < 512) continue;
        await writeFile(join(dir, `${fileName}.br`), brotliCompressSync(source, { params }));
      }
    },
  };
}

export default defineConfig({
  base: "/console/",
  plugins: [react(), compressed()],
  // As in tsconfig.json; the build reads it there, tests do not.
  resolve: { alias: { "~": new URL("./src", import.meta.url).pathname } },
  // The server puts a nonce of its own into each index.html that it sends.
  html: { cspNonce: "__CSP_NONCE__" },
  server: {
    proxy: Object.fromEntries(ways.map((way) => [way, { target: cloud, ws: true }])),
  },
  build: {
    outDir: "dist",
    target: "es2024",
    reportCompressedSize: false,
    chunkSizeWarningLimit: 800,
    // An inlined asset would be a data: address, which the page's policy does not let in.
    assetsInlineLimit: 0,
  },
  test: { environment: "node", include: ["src/**/*.test.{ts,tsx}"] },
});
