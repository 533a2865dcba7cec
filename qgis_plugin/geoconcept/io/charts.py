# SPDX-License-Identifier: GPL-2.0-or-later
"""Small pictures as SVG text, for reports. Needs numpy and the core alone; all text is escaped."""

from html import escape

import numpy as np

from ..core.land_mask import on_land

__all__ = ["WIDTH", "bars", "field", "histogram", "places_map", "reliability", "scatter"]

#: Width of a picture, in pixels.
WIDTH = 640
#: What stands out, what it is told from, and lines to read values off.
STRONG, WEAK, GRID, INK = "#26828e", "#a9b2bc", "#e3e7eb", "#3e4c59"
_LEFT, _BOTTOM, _TOP = 58, 44, 12
_MOST_POINTS = 2_000
_TALLEST = 360


def bars(rows, high, low=0.0):
    """Draw horizontal bars.

    Parameters
    ----------
    rows : list of (str, float, str)
        What it is, how long the bar is, and what to write behind it.
    high, low : float
        Values at the right and at the left end.

    Returns
    -------
    str
    """
    step, left, room = 24, 250, 290
    parts = []
    for k, (name, value, note) in enumerate(rows):
        y = k * step
        length = float(np.clip((value - low) / (high - low), 0.0, 1.0)) * room
        parts.append(f'<rect x="{left}" y="{y + 3}" width="{room}" height="{step - 8}" fill="#f1f3f5"/>')
        parts.append(f'<rect x="{left}" y="{y + 3}" width="{length:.1f}" height="{step - 8}" fill="{STRONG}"/>')
        parts.append(_text(left - 8, y + 16, _short(name, 36), "end"))
        parts.append(_text(left + room + 8, y + 16, note))
    return _svg(len(rows) * step, parts, "; ".join(f"{name}: {note}" for name, _, note in rows))


def histogram(groups, label, share="share of places", bins=36):
    """Draw how the values of some groups are spread, each scaled to one.

    Parameters
    ----------
    groups : list of (str, ndarray)
        The last one stands out.
    label, share : str
        Of the two axes.
    bins : int

    Returns
    -------
    str
    """
    everything = np.concatenate([values for _, values in groups])
    edges = np.linspace(*_span(everything), bins + 1)
    shares = [np.histogram(values, edges)[0] / max(len(values), 1) for _, values in groups]
    frame = _Frame((edges[0], edges[-1]), (0.0, max(float(one.max()) for one in shares) * 1.05), 230)
    parts = frame.axes(label, share)
    colours = [*[WEAK] * (len(groups) - 1), STRONG]
    for counts, colour in zip(shares, colours):
        points = [(edges[0], 0.0)]
        for k, count in enumerate(counts):
            points += [(edges[k], count), (edges[k + 1], count)]
        points.append((edges[-1], 0.0))
        path = " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in points)
        parts.append(f'<polygon points="{path}" fill="{colour}" fill-opacity="0.55" stroke="{colour}"/>')
    parts += _legend([(name, colour) for (name, _), colour in zip(groups, colours)])
    return _svg(frame.height, parts, label)


def reliability(said, seen, said_label, seen_label):
    """Draw what was said against what was seen, beside the diagonal where both agree."""
    frame = _Frame((0.0, 1.0), (0.0, 1.0), 300, width=360)
    parts = frame.axes(said_label, seen_label)
    parts.append(_line(frame.x(0), frame.y(0), frame.x(1), frame.y(1), WEAK, 'stroke-dasharray="4 4"'))
    path = " ".join(f"{frame.x(a):.1f},{frame.y(b):.1f}" for a, b in zip(said, seen))
    parts.append(f'<polyline points="{path}" fill="none" stroke="{STRONG}" stroke-width="2"/>')
    parts += [_dot(frame.x(a), frame.y(b), 4, STRONG, 1.0) for a, b in zip(said, seen)]
    return _svg(frame.height, parts, f"{said_label}; {seen_label}", width=360)


def scatter(x, y, x_label, y_label, seed=0):
    """Draw pairs of values as dots; of very many, a random part of 2,000."""
    frame = _Frame(_span(x), _span(y), 360)
    rows = np.random.default_rng(seed).permutation(len(x))[:_MOST_POINTS]
    strength = 0.55 if len(rows) < 400 else 0.28
    parts = frame.axes(x_label, y_label)
    parts += [_dot(frame.x(x[k]), frame.y(y[k]), 2.6, STRONG, strength) for k in rows]
    return _svg(frame.height, parts, f"{x_label}; {y_label}")


def field(picture, across, up, x_label, y_label, height=400):
    """Draw a picture between two axes.

    Parameters
    ----------
    picture : str
        Data URI, its first row on top.
    across, up : (float, float)
        Values at its edges.
    x_label, y_label : str
    height : int

    Returns
    -------
    str
    """
    frame = _Frame(across, up, height)
    left, top = frame.x(across[0]), frame.y(up[1])
    size = f'width="{frame.x(across[1]) - left:.1f}" height="{frame.y(up[0]) - top:.1f}"'
    image = (
        f'<image href="{escape(picture)}" x="{left:.1f}" y="{top:.1f}" {size} preserveAspectRatio="none" '
        'style="image-rendering: pixelated"/>'
    )
    return _svg(height, [*frame.axes(x_label, y_label), image], f"{x_label}; {y_label}")


def places_map(groups, columns=200):
    """Draw where places lie, over land and sea.

    Parameters
    ----------
    groups : list of (str, ndarray of shape (N, 2))
        Name and (lon, lat) in degrees; the last one stands out and decides, with the others, what is shown.
    columns : int
        Cells of land across the picture.

    Returns
    -------
    str
    """
    everything = np.concatenate([lonlat for _, lonlat in groups])
    west, south, east, north = _padded(everything)
    height = float(np.clip(WIDTH * (north - south) / (east - west) * _stretch(south, north), 160, _TALLEST))
    rows = max(1, round(columns * height / WIDTH))
    lon = west + (np.arange(columns) + 0.5) * (east - west) / columns
    lat = north - (np.arange(rows) + 0.5) * (north - south) / rows
    land = on_land(np.stack([np.tile(lon, rows), np.repeat(lat, columns)], axis=1)).reshape(rows, columns)
    wide, tall = WIDTH / columns, height / rows
    runs = []
    for k, row in enumerate(land):
        edges = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(np.int8), [0]])))
        runs += [
            f"M{a * wide:.1f} {k * tall:.1f}h{(b - a) * wide:.1f}v{tall + 0.3:.1f}h{(a - b) * wide:.1f}z"
            for a, b in zip(edges[::2], edges[1::2])
        ]
    parts = [
        f'<rect width="{WIDTH}" height="{height:.0f}" fill="#eef4f7"/>',
        f'<path d="{"".join(runs)}" fill="#dcdad2"/>',
    ]
    colours = [*["#8a949e"] * (len(groups) - 1), "#d1495b"]
    for (_, lonlat), colour, size in zip(groups, colours, [1.4] * (len(groups) - 1) + [3.0]):
        shown = np.random.default_rng(0).permutation(len(lonlat))[:_MOST_POINTS]
        parts += [
            _dot(
                (lonlat[k, 0] - west) / (east - west) * WIDTH,
                (north - lonlat[k, 1]) / (north - south) * height,
                size,
                colour,
                0.75,
            )
            for k in shown
        ]
    parts += _legend([(name, colour) for (name, _), colour in zip(groups, colours)], y=height - 14, x=12)
    return _svg(height, parts, "; ".join(f"{name}: {len(lonlat):,}" for name, lonlat in groups))


class _Frame:
    """Where values lie in a picture with two axes."""

    def __init__(self, across, up, height, width=WIDTH):
        self.across, self.up, self.height, self.width = across, up, height, width

    def x(self, value):
        low, high = self.across
        return _LEFT + (value - low) / (high - low) * (self.width - _LEFT - 14)

    def y(self, value):
        low, high = self.up
        return _TOP + (high - value) / (high - low) * (self.height - _TOP - _BOTTOM)

    def axes(self, x_label, y_label):
        parts = []
        for value in _ticks(*self.across):
            parts.append(_line(self.x(value), self.y(self.up[0]), self.x(value), self.y(self.up[1]), GRID))
            parts.append(_text(self.x(value), self.height - _BOTTOM + 16, _number(value), "middle"))
        for value in _ticks(*self.up):
            parts.append(_line(self.x(self.across[0]), self.y(value), self.x(self.across[1]), self.y(value), GRID))
            parts.append(_text(_LEFT - 7, self.y(value) + 4, _number(value), "end"))
        middle = (_LEFT + self.width) / 2
        parts.append(_text(middle, self.height - 8, _short(x_label, self.width // 8), "middle"))
        turned = f'transform="rotate(-90 13 {(self.height - _BOTTOM) / 2:.0f})"'
        parts.append(_text(13, (self.height - _BOTTOM) / 2, _short(y_label, self.height // 8), "middle", turned))
        return parts


def _svg(height, parts, label, width=WIDTH):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(label)}" width="{width}" '
        f'height="{height:.0f}" viewBox="0 0 {width} {height:.0f}" font-family="sans-serif" font-size="12">'
        + "".join(parts)
        + "</svg>"
    )


def _text(x, y, text, anchor="start", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{INK}" {more}>{escape(str(text))}</text>'


def _line(x1, y1, x2, y2, colour, more=""):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" {more}/>'


def _dot(x, y, radius, colour, opacity):
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{colour}" fill-opacity="{opacity}"/>'


def _legend(entries, x=_LEFT + 10, y=_TOP + 12):
    parts = []
    for name, colour in entries:
        parts.append(f'<rect x="{x}" y="{y - 9:.0f}" width="11" height="11" fill="{colour}"/>')
        parts.append(_text(x + 16, y, name))
        x += 34 + 7 * len(name)
    return parts


def _span(values):
    low, high = float(np.min(values)), float(np.max(values))
    pad = (high - low) * 0.03 or max(abs(high), 1.0) * 0.1
    return low - pad, high + pad


def _padded(lonlat):
    """Bounds around places, with a margin, wide enough to know them again, and whole for half the globe."""
    (west, south), (east, north) = lonlat.min(axis=0), lonlat.max(axis=0)
    if east - west > 180.0:
        west, east = -180.0, 180.0
    side = max((east - west) * 0.12, (north - south) * 0.12, 5.0)
    south, north = max(south - side, -90.0), min(north + side, 90.0)
    wanted = WIDTH * (north - south) / _TALLEST * _stretch(south, north)
    side = max(side, (wanted - (east - west)) / 2.0)  # never taller than there is room for
    return max(west - side, -180.0), south, min(east + side, 180.0), north


def _stretch(south, north):
    """Return how much longer a degree of latitude is than one of longitude."""
    return 1.0 / max(float(np.cos(np.radians((south + north) / 2.0))), 0.3)


def _ticks(low, high, count=5):
    step = (high - low) / count
    power = 10.0 ** np.floor(np.log10(step))
    step = power * min((one for one in (1.0, 2.0, 5.0, 10.0) if one * power >= step * 0.999), default=10.0)
    first = np.ceil(low / step - 1e-9)
    return [float(k * step) for k in np.arange(first, np.floor(high / step + 1e-9) + 1)]


def _number(value):
    """Write a value of an axis in at most some six letters."""
    for from_here, unit, letter in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if abs(value) >= from_here:
            return f"{value / unit:.4g}{letter}"
    return f"{0.0 if abs(value) < 1e-12 else value:.4g}"


def _short(text, most):
    return text if len(text) <= most else text[: most - 1] + "…"
