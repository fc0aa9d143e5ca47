"""Control groups: which firms belong together, who is at the head, and what the members share.

Members of a group tend to sit in one district and to make related things; some make the very same
product, which is what an official looks for when two of them apply (同集团主导产品相近).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from city.parameters import Parameters, Stream
from city.state import Bools, Ints

__all__ = ["Groups", "drawn", "group_ids", "shared_names"]


@dataclass(frozen=True, slots=True)
class Groups:
    """Per firm: the number of its group (-1 = none), its head's row (its own without a group)."""

    number: Ints
    head: Ints
    industry: Ints
    district: Ints
    niche: Ints  # which of the parameters' niches, within the industry

    @property
    def led(self) -> Bools:
        """In a group and not its head."""
        return np.asarray(self.head != np.arange(len(self.head)))


def drawn(p: Parameters, industry: Ints, district: Ints, stream: Stream) -> Groups:
    """Draw groups over firms with an industry and a district of their own.

    The head is the member of the lowest row: firms that were there at the start come first.
    """
    g, rng, count = p.section("groups"), stream("groups"), len(industry)
    members = rng.permutation(np.flatnonzero(rng.random(count) < g["share"]))
    sizes, weight = np.array(g["sizes"]).T
    size = rng.choice(sizes.astype(np.int64), len(members), p=weight / weight.sum())
    number = np.full(count, -1, dtype=np.int64)
    number[members] = np.repeat(np.arange(len(members)), size)[: len(members)]
    head = np.arange(count)
    for _, rows in pd.Series(members).groupby(number[members]):
        head[rows.to_numpy()] = rows.min()
    u = rng.random((4, count))
    led = head != np.arange(count)
    same = led & (u[0] < g["same_industry"])
    related = led & ~same & (u[0] < g["same_industry"] + g["same_sector"])
    made = np.where(same, industry[head], industry)
    made[related] = _of_the_sector(p, industry[head[related]], u[1][related])
    niche = rng.integers(0, len(p.raw["names"]["niches"]), count)
    close = led & (made == made[head]) & (u[2] < g["same_niche"])
    return Groups(
        number=number,
        head=head,
        industry=made,
        district=np.where(led & (u[3] < g["same_district"]), district[head], district),
        niche=np.where(close, niche[head], niche),
    )


def _of_the_sector(p: Parameters, industry: Ints, u: NDArray[np.float64]) -> Ints:
    """Pick an industry of the same sector, each alike; ``u`` is uniform."""
    sector = np.array([row[3] for row in p.raw["industries"]["rows"]])
    made = industry.copy()
    for name in np.unique(sector[industry]):
        choice, rows = np.flatnonzero(sector == name), sector[industry] == name
        made[rows] = choice[(u[rows] * len(choice)).astype(np.int64)]
    return made


def group_ids(groups: Ints) -> NDArray[np.object_]:
    """Return the ids G00001, G00002, … and None for a firm on its own."""
    made = np.full(len(groups), None, dtype=object)
    rows = np.flatnonzero(groups >= 0)
    made[rows] = [f"G{1 + number:05d}" for number in groups[rows]]
    return made


def shared_names(
    p: Parameters, own: NDArray[np.str_], words: NDArray[np.str_], forms: Ints, head: Ints
) -> NDArray[np.str_]:
    """Let members bear the brand of their head and a word of their own: 澜州铭拓联合轴承有限公司.

    ``own`` are all different and hold city, brand and trade; whose shared name is taken keeps it.
    """
    rows = np.flatnonzero(head != np.arange(len(head)))
    place = len(str(p.raw["place"]["city"]))
    kin = np.array(list(p.raw["names"]["members"]))
    nth = pd.Series(head[rows]).groupby(head[rows]).cumcount().to_numpy()
    brand = [own[i][: place + 2] for i in head[rows]]
    form = np.array(p.raw["names"]["forms"])[forms[rows]]
    name = np.char.add(np.array(brand, dtype=str), kin[nth % len(kin)])
    name = np.char.add(np.char.add(name, words[rows]), form)
    taken = pd.Series(name).duplicated().to_numpy() | np.isin(name, own)
    made = own.astype(object)
    made[rows[~taken]] = name[~taken]
    return made.astype(str)
