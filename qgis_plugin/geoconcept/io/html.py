# SPDX-License-Identifier: GPL-2.0-or-later
"""Reports: one HTML file each, with its pictures inside. No script, nothing from the network, all text escaped."""

import base64
from html import escape

import numpy as np
from qgis.PyQt.QtCore import QBuffer, QByteArray, QIODevice, QLocale
from qgis.PyQt.QtGui import QImage

from ..core.files import atomic_file
from . import charts

__all__ = ["Report", "picture", "shown"]

_STYLE = """
body { font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; color: #1f2933;
  max-width: 760px; margin: 2em auto; padding: 0 1.2em; background: #ffffff; }
h1 { font-size: 1.55em; line-height: 1.25; margin: 0 0 .2em; }
h2 { font-size: 1.12em; margin: 1.8em 0 .4em; padding-top: .9em; border-top: 1px solid #e3e7eb; }
p { margin: .5em 0; }
p.lead { font-size: 1.08em; color: #3e4c59; }
p.note { color: #616e7c; font-size: .92em; }
p.warning { background: #fdf3e7; border-left: 4px solid #d9822b; padding: .5em .8em; }
table { border-collapse: collapse; width: 100%; font-size: .93em; margin: .6em 0; }
th { text-align: left; font-weight: 600; border-bottom: 2px solid #cbd2d9; padding: .25em .7em .25em 0;
  vertical-align: bottom; }
td { border-bottom: 1px solid #e9ecef; padding: .28em .7em .28em 0; vertical-align: top; overflow-wrap: break-word; }
td.number, th.number { text-align: right; white-space: nowrap; }
table.facts td:first-child { color: #616e7c; width: 34%; }
figure { margin: 1em 0; }
figcaption { color: #616e7c; font-size: .9em; margin-top: .2em; }
svg, img { max-width: 100%; height: auto; }
"""


class Report:
    """An HTML page, filled from top to bottom.

    Parameters
    ----------
    title : str
    lead : str
        What the reader is to take away, in one or two sentences.
    """

    def __init__(self, title, lead):
        self.title = title
        self._parts = [f"<h1>{escape(title)}</h1>", f'<p class="lead">{escape(lead)}</p>']

    def heading(self, text):
        """Begin a part."""
        self._parts.append(f"<h2>{escape(text)}</h2>")

    def text(self, text, kind=""):
        """Add a paragraph; `kind` is empty, ``"note"`` or ``"warning"``. An empty text adds nothing."""
        if text:
            self._parts.append(f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>")

    def facts(self, pairs):
        """Add a table of names and values; those without a value are left out."""
        rows = "".join(
            f"<tr><td>{escape(str(a))}</td><td>{escape(str(b))}</td></tr>" for a, b in pairs if b not in (None, "")
        )
        self._parts.append(f'<table class="facts">{rows}</table>')

    def table(self, header, rows):
        """Add a table; numbers stand to the right. NaN and None are shown as nothing."""
        numeric = [
            bool(rows) and all(isinstance(r[k], (int, float, type(None))) for r in rows) for k in range(len(header))
        ]
        kinds = [' class="number"' if one else "" for one in numeric]
        head = "".join(f"<th{kind}>{escape(name)}</th>" for kind, name in zip(kinds, header))
        body = "".join(
            "<tr>" + "".join(f"<td{kind}>{escape(_cell(value))}</td>" for kind, value in zip(kinds, row)) + "</tr>"
            for row in rows
        )
        self._parts.append(f"<table><tr>{head}</tr>{body}</table>")

    def figure(self, picture, caption=""):
        """Add a picture made by `charts` or `shown`."""
        below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
        self._parts.append(f"<figure>{picture}{below}</figure>")

    def html(self):
        """Return the page."""
        language = QLocale().name().split("_")[0]
        return (
            f'<!DOCTYPE html>\n<html lang="{escape(language)}">\n<head>\n<meta charset="utf-8">\n'
            f"<title>{escape(self.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
            + "\n".join(self._parts)
            + "\n</body>\n</html>\n"
        )

    def save(self, path):
        """Write the page, whole or not at all."""
        with atomic_file(path) as part:
            part.write_text(self.html(), encoding="utf-8")


def picture(values, colours, low, high):
    """Return a picture of an array as a data URI: one pixel a cell, row 0 on top, nothing where it is NaN.

    Parameters
    ----------
    values : ndarray, shape (rows, columns)
    colours : sequence of str
        ``#rrggbb``, at even steps from `low` to `high`.
    low, high : float

    Returns
    -------
    str
        A PNG.
    """
    ramp = np.array([[int(one[k : k + 2], 16) for k in (1, 3, 5)] for one in colours], dtype=np.float64)
    share = np.clip((np.nan_to_num(values, nan=low) - low) / (high - low), 0.0, 1.0) * (len(ramp) - 1)
    pixels = np.zeros((*values.shape, 4), dtype=np.uint8)
    for k in range(3):
        pixels[..., k] = np.round(np.interp(share, np.arange(len(ramp)), ramp[:, k]))
    pixels[..., 3] = np.where(np.isfinite(values), 255, 0)
    rows, columns = values.shape
    content = pixels.tobytes()
    image = QImage(content, columns, rows, 4 * columns, QImage.Format.Format_RGBA8888)
    store = QByteArray()
    buffer = QBuffer(store)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    buffer.close()
    return "data:image/png;base64," + base64.b64encode(bytes(store)).decode("ascii")


def shown(uri, label):
    """Return a picture for `Report.figure`; `label` says what it shows to those who cannot see it."""
    return f'<img alt="{escape(label)}" width="{charts.WIDTH}" style="image-rendering: pixelated" src="{escape(uri)}">'


def _cell(value):
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return ""
    if isinstance(value, float):
        if 0.0 < abs(value) < 0.001:
            return "< 0.001" if value > 0.0 else "> -0.001"
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
