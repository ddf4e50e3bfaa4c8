import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** The cloud that `npm run dev` passes the API's requests on to. */
const cloud = process.env.SKERRY_URL ?? "http://127.0.0.1:8420";
const ways = ["/providers", "/catalogue.json", "/openapi.json", "/sign-in", "/gateway"];

export default defineConfig({
  base: "/console/",
  plugins: [react()],
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
