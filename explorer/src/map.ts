// The map: land, a concept in the colours of its grid, a finer part where one has zoomed in, points and pins.

import { GeoJSONSource, type LngLatLike, Map as GlMap, Marker, NavigationControl, ScaleControl, setWorkerUrl } from "maplibre-gl";
import "maplibre-gl/dist/maplibre-gl.css";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import { el } from "./dom";
import { paint, ramp, TOP } from "./paint";
import type { Bounds, Grid, Pair, Start } from "./types";

// A worker of our own address: the page's policy allows none made of text.
setWorkerUrl(new URL(workerUrl, document.baseURI).href);

/** Pixels of the picture of the world: two a cell. */
const WORLD_PIXELS = 1440;
/** Degrees: side of the squares that the sea comes in, see sea.py. */
const SQUARE = 20;
const EMPTY: GeoJSON.FeatureCollection = { type: "FeatureCollection", features: [] };

type Corners = [Pair, Pair, Pair, Pair];
interface CanvasSource {
  play(): void;
  pause(): void;
  setCoordinates(corners: Corners): unknown;
}

export class WorldMap {
  readonly gl: GlMap;
  private readonly canvases: Record<"world" | "view", HTMLCanvasElement>;
  private readonly markers = new Map<string, Marker>();
  private readonly colours: Record<"percentile" | "density", Uint32Array>;

  private constructor(gl: GlMap, canvases: WorldMap["canvases"], start: Start) {
    this.gl = gl;
    this.canvases = canvases;
    this.colours = { percentile: ramp(start.looks.percentile.colours), density: ramp(start.looks.density.colours, true) };
  }

  static async open(container: HTMLElement, sea: GeoJSON.MultiPolygon, start: Start, camera: [number, number, number] | null): Promise<WorldMap> {
    const canvases = { world: picture(WORLD_PIXELS, WORLD_PIXELS), view: picture(2, 2) };
    const gl = new GlMap({
      container,
      center: (camera ? [camera[0], camera[1]] : [10, 22]) as LngLatLike,
      zoom: camera?.[2] ?? Math.log2(Math.min(container.clientWidth / 512, container.clientHeight / 330)),
      maxZoom: 10,
      attributionControl: { compact: true, customAttribution: ["Natural Earth", ...(start.tiles ? ["tiles: " + new URL(start.tiles).host] : [])] },
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      fadeDuration: 0,
      style: {
        version: 8,
        sources: {
          ...(start.tiles ? { tiles: { type: "raster" as const, tiles: [start.tiles], tileSize: 256 } } : {}),
          sea: { type: "geojson", data: sea, tolerance: 0.2 },
          coast: { type: "geojson", data: coastOf(sea), tolerance: 0.2 },
          world: { type: "canvas", canvas: canvases.world, animate: false, coordinates: corners([-180, -TOP, 180, TOP]) } as never,
          view: { type: "canvas", canvas: canvases.view, animate: false, coordinates: corners([-1, -1, 1, 1]) } as never,
          areas: { type: "geojson", data: EMPTY },
          points: { type: "geojson", data: EMPTY },
        },
        layers: [
          { id: "land", type: "background", paint: { "background-color": "#f6f5f0" } },
          ...(start.tiles ? [{ id: "tiles", type: "raster" as const, source: "tiles" }] : []),
          { id: "world", type: "raster", source: "world", paint: { "raster-opacity": start.tiles ? 0.7 : 1, "raster-fade-duration": 0, "raster-resampling": "nearest" } },
          { id: "view", type: "raster", source: "view", layout: { visibility: "none" }, paint: { "raster-opacity": start.tiles ? 0.7 : 1, "raster-fade-duration": 0, "raster-resampling": "nearest" } },
          ...(start.tiles ? [] : [{ id: "sea", type: "fill" as const, source: "sea", paint: { "fill-color": "#dfe9ee", "fill-antialias": false } }]),
          { id: "coast", type: "line", source: "coast", paint: { "line-color": "#22343c", "line-width": ["interpolate", ["linear"], ["zoom"], 0, 0.5, 6, 1.4] } },
          { id: "areas", type: "line", source: "areas", paint: { "line-color": "#0b3d91", "line-width": ["case", ["==", ["get", "level"], 0.5], 2, 1] } },
          {
            id: "points",
            type: "circle",
            source: "points",
            paint: { "circle-color": ["get", "colour"], "circle-radius": ["interpolate", ["linear"], ["zoom"], 0, 3, 8, 6], "circle-stroke-color": "#ffffff", "circle-stroke-width": 1 },
          },
        ],
      },
    });
    gl.touchZoomRotate.disableRotation();
    gl.keyboard.disableRotation();
    gl.addControl(new NavigationControl({ showCompass: false }), "top-right");
    gl.addControl(new ScaleControl({ maxWidth: 90 }), "bottom-right");
    await gl.once("style.load"); // not "load": the concept need not wait for the coast
    return new WorldMap(gl, canvases, start);
  }

  /** Draw a grid of the world; done when it is on the screen. */
  drawWorld(grid: Grid, look: "percentile" | "density", smooth: boolean): Promise<void> {
    paint(this.canvases.world, grid, this.colours[look], smooth);
    return this.refresh("world");
  }

  /** Draw a finer part over the world; null takes it away. */
  drawView(grid: Grid | null, smooth: boolean): void {
    this.gl.setLayoutProperty("view", "visibility", grid ? "visible" : "none");
    if (!grid) return;
    const canvas = this.canvases.view;
    const finer = smooth ? 6 : 2;
    [canvas.width, canvas.height] = [grid.columns * finer, grid.rows * finer];
    paint(canvas, grid, this.colours.percentile, smooth);
    const [west, south, east, north] = grid.bounds;
    this.canvasSource("view").setCoordinates(corners([west, Math.max(south, -TOP), east, Math.min(north, TOP)]));
    void this.refresh("view");
  }

  setSmooth(smooth: boolean): void {
    for (const layer of ["world", "view"]) this.gl.setPaintProperty(layer, "raster-resampling", smooth ? "linear" : "nearest");
  }

  /** Draw points in the colours of their percentiles; null values are grey. */
  drawPoints(points: [number, number, number | null][]): void {
    const features = points.map(([lon, lat, value]): GeoJSON.Feature => ({
      type: "Feature",
      geometry: { type: "Point", coordinates: [lon, lat] },
      properties: { colour: value === null ? "#777777" : this.colour(value) },
    }));
    this.gl.getSource<GeoJSONSource>("points")?.setData({ type: "FeatureCollection", features });
  }

  drawAreas(areas: GeoJSON.FeatureCollection | null): void {
    this.gl.getSource<GeoJSONSource>("areas")?.setData(areas ?? EMPTY);
  }

  private colour(value: number): string {
    const four = this.colours.percentile[Math.min(Math.max(Math.round(value), 0), 100)]!;
    return `#${[0, 8, 16].map((shift) => ((four >> shift) & 255).toString(16).padStart(2, "0")).join("")}`;
  }

  /** Put a marker with a letter or sign; null takes it away. */
  mark(id: string, at: Pair | null, label: string, kind: string): void {
    this.markers.get(id)?.remove();
    this.markers.delete(id);
    if (!at) return;
    const element = el("span", { class: `marker ${kind}`, "aria-hidden": "true" }, label);
    this.markers.set(id, new Marker({ element }).setLngLat(at).addTo(this.gl));
  }

  unmark(prefix: string): void {
    for (const [id, marker] of this.markers) {
      if (!id.startsWith(prefix)) continue;
      marker.remove();
      this.markers.delete(id);
    }
  }

  middle(): Pair {
    const { lng, lat } = this.gl.getCenter().wrap();
    return [lng, lat];
  }

  bounds(): Bounds {
    const seen = this.gl.getBounds();
    return [seen.getWest(), Math.max(seen.getSouth(), -90), seen.getEast(), Math.min(seen.getNorth(), 90)];
  }

  goTo(at: Pair, zoom?: number): void {
    const still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    const to = { center: at as LngLatLike, ...(zoom === undefined ? {} : { zoom }) };
    if (still) this.gl.jumpTo(to);
    else this.gl.easeTo({ ...to, duration: 500 });
  }

  private canvasSource(id: "world" | "view"): CanvasSource {
    return this.gl.getSource(id) as unknown as CanvasSource;
  }

  /** Have the map copy a canvas once; it would copy it in every frame if it went on playing. */
  private async refresh(id: "world" | "view"): Promise<void> {
    const source = this.canvasSource(id);
    source.play();
    this.gl.triggerRepaint();
    await this.gl.once("render");
    source.pause();
  }
}

/** The shores of the sea: its outlines without the cuts that sea.py made. */
function coastOf(sea: GeoJSON.MultiPolygon): GeoJSON.MultiLineString {
  const lines: GeoJSON.Position[][] = [];
  for (const ring of sea.coordinates.flat()) {
    let line: GeoJSON.Position[] = [];
    let before: GeoJSON.Position | undefined;
    for (const point of ring) {
      if (before && isCut(before, point)) {
        lines.push(line);
        line = [];
      }
      line.push(point);
      before = point;
    }
    lines.push(line);
  }
  return { type: "MultiLineString", coordinates: lines.filter((line) => line.length > 1) };
}

function isCut(one: GeoJSON.Position, two: GeoJSON.Position): boolean {
  const along = (axis: 0 | 1, from: number) => one[axis] === two[axis] && (one[axis]! + from) % SQUARE === 0;
  return along(0, 180) || along(1, 90);
}

function picture(width: number, height: number): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  return canvas;
}

function corners([west, south, east, north]: Bounds): Corners {
  return [[west, north], [east, north], [east, south], [west, south]];
}
