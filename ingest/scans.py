"""Pure: scanned pages made ready for recognition: upright, straight, on white paper, large enough."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

# The long side of A4 at 200 dpi. Smaller pages are scaled up to it: at 100 dpi that leaves 2 % of the words wrong in
# place of 15 to 36 %. Scaling 200 dpi up to 300 took twice the time and won nothing.
_LONG_SIDE = 2340
# By at most this factor: beyond it, there is nothing to be won.
_LARGEST_SCALE = 4.0
# An A3 page at 400 dpi; what has more pixels is scaled down, because time grows with them and accuracy does not.
_MOST_PIXELS = 30_000_000
# Paper is looked for in boxes of this many pixels, and in their neighbours: more than the strokes of a headline.
_PAPER_BOX = 8
_PAPER_REACH = 9
# What is darker than its paper by less than this, of 255, is noise, or the back of the page shining through.
_FAINT = 40
# Lighter pixels are paper.
_PAPER = 245
# Where more than half of the pixels are darker than this, the print is light on dark.
_DARK = 96
# Slopes of lines that are tried, in degrees. A page that lies more askew is rare, and wants scanning again.
_STEEPEST = 8.0
_COARSE_STEP, _FINE_STEP = 0.5, 0.1
# Rotating blurs a little; what is straighter than this reads as well as it is.
_STRAIGHT = 0.2
# By how much clearer, as a factor, the lines must stand out along a slope than they do as they are.
_CLEARER = 1.1
_SKEW_SIDE = 1000
_MOST_INK = 60_000


def grey(image: Image) -> Image:
    """Return any image in 8-bit grey, what is transparent in it as white paper."""
    from PIL import Image as Images

    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda level: level * (1 / 256)).convert("L")
    if image.mode in ("I", "F"):
        low, high = (float(bound) for bound in image.getextrema())  # type: ignore[arg-type]
        spread = 255 / max(high - low, 1e-9)
        return image.point(lambda level: level * spread + -low * spread).convert("L")
    if "A" in image.getbands() or "a" in image.getbands() or "transparency" in image.info:
        layer = image.convert("RGBA")
        paper = Images.new("RGBA", layer.size, "white")
        paper.alpha_composite(layer)
        return paper.convert("L")
    return image.convert("L")


def prepared(image: Image) -> Image:
    """Return a page in grey on white paper, of a size that reads well, with its lines level."""
    page = _on_white(_sized(_dark_on_light(image)))
    return straightened(page, skew(page))


def scaled(image: Image, factor: float) -> Image:
    """Return the image scaled by `factor`, less where it would get too many pixels."""
    from PIL import Image as Images

    factor = min(factor, math.sqrt(_MOST_PIXELS / (image.width * image.height)))
    size = max(1, round(image.width * factor)), max(1, round(image.height * factor))
    return image if size == image.size else image.resize(size, Images.Resampling.LANCZOS)


def _dark_on_light(image: Image) -> Image:
    from PIL import ImageOps

    return ImageOps.invert(image) if sum(image.histogram()[:_DARK]) > image.width * image.height / 2 else image


def _sized(image: Image) -> Image:
    return scaled(image, max(1.0, min(_LARGEST_SCALE, _LONG_SIDE / max(image.size))))


def _on_white(image: Image) -> Image:
    """Return the page with its paper, however dark and uneven, in white, and its ink in black."""
    from PIL import Image as Images
    from PIL import ImageChops, ImageFilter

    small = image.reduce(_PAPER_BOX).filter(ImageFilter.MaxFilter(_PAPER_REACH))
    paper = small.filter(ImageFilter.GaussianBlur(_PAPER_REACH)).resize(image.size, Images.Resampling.BILINEAR)
    ink = ImageChops.subtract(paper, image)  # 0 where there is none
    counts = ink.histogram()
    seen, darkest = 0, 255
    # The darkest hundredth of what is ink at all, so that pale print becomes black and a speck does not count.
    share = sum(counts[_FAINT:]) / 100
    while darkest > 2 * _FAINT and seen <= share:
        seen += counts[darkest]
        darkest -= 1
    spread = 255 / (darkest - _FAINT)
    return ink.point([255 - min(255, max(0, round((level - _FAINT) * spread))) for level in range(256)])


def shares(image: Image) -> tuple[float, float]:
    """Return which part of a page is ink, 0 for a blank one, and which is paper; between them lie the greys."""
    counts = _on_white(image).histogram()
    return sum(counts[:128]) / sum(counts), sum(counts[_PAPER:]) / sum(counts)


def skew(image: Image) -> float:
    """Return by how many degrees the lines of a page rise to the right; 0.0 where that is not clear.

    The ink is summed up along lines of each slope: along that of the text, full lines and empty gaps take turns
    (Postl, 1986: the slope with the greatest squared differences from one sum to the next).
    """
    import numpy as np

    small = image.reduce(max(1, max(image.size) // _SKEW_SIDE))
    y, x = np.nonzero(np.asarray(small) < 128)
    if len(x) > _MOST_INK:
        chosen = np.linspace(0, len(x) - 1, _MOST_INK).astype(int)
        y, x = y[chosen], x[chosen]
    if not len(x):
        return 0.0

    def clearness(degrees: float) -> float:
        sums = np.bincount(np.round(y + x * math.tan(math.radians(degrees)) + small.width).astype(int))
        return float(np.square(np.diff(sums.astype(float))).sum())

    coarse = np.arange(-_STEEPEST, _STEEPEST + _COARSE_STEP / 2, _COARSE_STEP)
    near = max((float(degrees) for degrees in coarse), key=clearness)
    fine = np.arange(near - _COARSE_STEP, near + _COARSE_STEP + _FINE_STEP / 2, _FINE_STEP)
    best = max((float(degrees) for degrees in fine), key=clearness)
    return best if clearness(best) > _CLEARER * clearness(0.0) else 0.0


def straightened(image: Image, degrees: float) -> Image:
    """Return the page turned so that lines that rise by `degrees` are level."""
    from PIL import Image as Images

    if abs(degrees) < _STRAIGHT:
        return image
    return image.rotate(-degrees, Images.Resampling.BICUBIC, expand=True, fillcolor=255)
