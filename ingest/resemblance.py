"""Pure: which texts are nearly the same, from a sketch of a few hundred bytes for each.

A sketch has the smallest hashes of the runs of words in a text; the share that two sketches have in common estimates
the share of runs that the texts have (A. Broder, On the resemblance and containment of documents, 1997, section 4).
"""

from __future__ import annotations

import base64
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import pairwise

import numpy as np

# Runs of fewer words recur in unrelated texts, runs of more are all broken by a few changed words.
_WORDS = 4
# The estimate is off by 0.04 on average at a resemblance of 0.9; more would only make the records larger.
_SIZE = 64
# Two texts of 1,000 words that differ in a date and two sentences have 0.9.
NEAR = 0.8
# Texts of fewer runs are near each other by chance: a form, a notice of one line.
_FEWEST = 20
# Texts that share fewer places in a list of all that have a hash are hardly ever near.
_FEWEST_MEETINGS = 3


def sketch(text: str) -> str:
    """Return the smallest hashes of the runs of words in `text`, as Base64; equal for equal words."""
    words = re.findall(r"\w+", text.casefold())
    runs = {zlib.crc32(" ".join(words[at : at + _WORDS]).encode()) for at in range(max(1, len(words) - _WORDS + 1))}
    # CRC is linear; the finaliser of MurmurHash3 makes its order one of chance.
    hashes = np.fromiter(runs, np.uint32, len(runs))
    hashes ^= hashes >> np.uint32(16)
    hashes *= np.uint32(0x85EBCA6B)
    hashes ^= hashes >> np.uint32(13)
    hashes *= np.uint32(0xC2B2AE35)
    hashes ^= hashes >> np.uint32(16)
    return base64.b64encode(np.sort(hashes)[:_SIZE].astype("<u4").tobytes()).decode()


def resemblance(one: frozenset[int], other: frozenset[int]) -> float:
    """Return the estimated share of runs that two sketched texts have in common, 0 to 1."""
    union = sorted(one | other)[:_SIZE]
    return sum(value in one and value in other for value in union) / max(1, len(union))


def near_duplicates(sketches: Mapping[str, str]) -> list[list[str]]:
    """Return groups of names whose texts are nearly the same; each name is in one group at most.

    Names are compared that stand side by side in the list of those that share a hash: near ones do for most hashes.
    """
    values = {
        name: frozenset(np.frombuffer(base64.b64decode(encoded), "<u4").tolist()) for name, encoded in sketches.items()
    }
    having: defaultdict[int, list[str]] = defaultdict(list)
    for name in sorted(values):
        if len(values[name]) >= _FEWEST:
            for value in values[name]:
                having[value].append(name)
    meetings = Counter(pair for names in having.values() for pair in pairwise(names))
    group: dict[str, str] = {}

    def head(name: str) -> str:
        while group.setdefault(name, name) != name:
            name = group[name]
        return name

    for (one, other), count in meetings.items():
        if count >= _FEWEST_MEETINGS and resemblance(values[one], values[other]) >= NEAR:
            first, second = sorted((head(one), head(other)))
            group[second] = first
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(group):
        groups[head(name)].append(name)
    return [names for _, names in sorted(groups.items()) if len(names) > 1]
