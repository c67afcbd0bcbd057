"""A quantity over days as a curve with axes that can be read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

WIDTH, HEIGHT = 1120, 220
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 12, 28
_STEPS = (1, 2, 2.5, 5, 10)


class Tick(msgspec.Struct, frozen=True):
    """A mark on an axis."""

    at: float
    text: str


class Curve(msgspec.Struct, frozen=True):
    """Where everything goes."""

    width: int
    height: int
    left: int
    right: int
    bottom: int
    line: str
    area: str
    ups: tuple[Tick, ...]
    days: tuple[Tick, ...]
    first: tuple[date, int]
    last: tuple[date, int]


def curve(
    points: Sequence[tuple[date, int]],
    *,
    width: int = WIDTH,
    height: int = HEIGHT,
    left: int = LEFT,
    marks: int = 5,
) -> Curve:
    """The picture of (day, quantity), the oldest first; at least one. `marks`: days that are named."""
    top = nice_top(max(quantity for _, quantity in points))
    span = max(len(points) - 1, 1)
    inner_width, inner_height = width - left - RIGHT, height - TOP - BOTTOM

    def x(index: int) -> float:
        return round(left + inner_width * index / span, 1)

    def y(quantity: float) -> float:
        return round(TOP + inner_height * (1 - quantity / top), 1)

    line = " ".join(f"{x(index)},{y(quantity)}" for index, (_, quantity) in enumerate(points))
    ups = tuple(Tick(y(top * step / 4), f"{top * step / 4:,.0f}") for step in range(5))
    every = max(span // marks, 1)
    marked = range(0, span + 1, every)
    days = tuple(
        Tick(x(index), f"{points[index][0]:%d %b}")
        for index in marked
        if index <= span and index < len(points)
    )
    return Curve(
        width,
        height,
        left,
        width - RIGHT,
        height - BOTTOM,
        line,
        f"{left},{height - BOTTOM} {line} {x(len(points) - 1)},{height - BOTTOM}",
        ups,
        days,
        points[0],
        points[-1],
    )


def nice_top(most: int) -> float:
    """The end of the axis: the next number above `most` that four steps divide well."""
    scale = 4.0
    while True:
        for step in _STEPS:
            if most <= scale * step:
                return scale * step
        scale *= 10
