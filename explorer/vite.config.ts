import { readFileSync } from "node:fs";
import { defineConfig } from "vite";

// The built page is package data of geoconcept_gis. Addresses are relative: the server puts a token before them, and a
// static site may lie in any folder.
export default defineConfig({
  base: "./",
  plugins: [
    {
      // The licence of what is bundled goes where the bundle goes.
      name: "licence",
      generateBundle() {
        const source = readFileSync("node_modules/maplibre-gl/LICENSE.txt", "utf8");
        this.emitFile({ type: "asset", fileName: "maplibre-gl.LICENSE.txt", source });
      },
    },
  ],
  build: {
    outDir: "../geoconcept_gis/explore/page",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: false,
    chunkSizeWarningLimit: 1600,
    rollupOptions: {
      output: {
        entryFileNames: "assets/[name].js",
        chunkFileNames: "assets/[name].js",
        assetFileNames: "assets/[name][extname]",
      },
    },
  },
});
