"""The cheapest way to pair some things with others, exactly, and always the same one where several are as cheap.

Shortest augmenting paths after Jonker and Volgenant (1987), as Crouse gives them for rectangles in "On implementing 2D
rectangular assignment algorithms" (IEEE Trans. Aerosp. Electron. Syst. 52(4), 2016). Of pairs that are worth making at
all, those that do not touch are solved apart, since scenes mostly fall into small clusters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

__all__ = ["assigned", "best_pairs"]

_Matrix = npt.NDArray[np.float64]
_NOBODY = -1


def best_pairs(costs: Mapping[tuple[int, int], float], ceiling: float) -> Sequence[tuple[int, int]]:
    """The pairs, each index at most once, for which the sum of `cost - ceiling` is least, in order.

    Args:
        costs: the cost of each pair of a left and a right index; all are finite and below `ceiling`.
        ceiling: what it costs to leave both unpaired.
    """
    chosen: list[tuple[int, int]] = []
    for pairs in _clusters(costs):
        if len(pairs) == 1:
            chosen += pairs
            continue
        left, right = (sorted({pair[side] for pair in pairs}) for side in (0, 1))
        rows, columns = ({index: at for at, index in enumerate(side)} for side in (left, right))
        matrix = np.full((len(left), len(right)), ceiling, dtype=np.float64)
        for i, j in pairs:
            matrix[rows[i], columns[j]] = costs[i, j]
        found = ((left[row], right[column]) for row, column in assigned(matrix))
        chosen += [pair for pair in found if pair in costs]
    return sorted(chosen)


def assigned(costs: _Matrix) -> Sequence[tuple[int, int]]:
    """Row and column of each entry of the cheapest assignment of a matrix, as many as its shorter side."""
    if costs.shape[0] > costs.shape[1]:
        return sorted((row, column) for column, row in assigned(costs.T))
    rows, columns = costs.shape
    row_price, column_price = np.zeros(rows), np.zeros(columns)
    row_of = np.full(columns, _NOBODY)
    column_of = np.full(rows, _NOBODY)
    for row in range(rows):
        _augment(costs, row, row_price, column_price, row_of, column_of)
    return [(row, int(column)) for row, column in enumerate(column_of)]


def _augment(
    costs: _Matrix, start: int, row_price: _Matrix, column_price: _Matrix,
    row_of: npt.NDArray[np.int64], column_of: npt.NDArray[np.int64],
) -> None:  # fmt: skip
    """Give the row `start` a column, along the cheapest path on which others give theirs up for another."""
    size = costs.shape[1]
    reached, before = np.full(size, np.inf), np.full(size, _NOBODY)
    done = np.zeros(size, dtype=bool)
    row, lowest, crossed = start, 0.0, [start]
    while True:
        through = lowest + costs[row] - row_price[row] - column_price
        better = ~done & (through < reached)
        reached[better] = through[better]
        before[better] = row
        open_ = np.where(done, np.inf, reached)
        column = int(open_.argmin())
        lowest = float(open_[column])
        done[column] = True
        if row_of[column] == _NOBODY:
            break
        row = int(row_of[column])
        crossed.append(row)
    row_price[start] += lowest
    for row in crossed[1:]:
        row_price[row] += lowest - reached[column_of[row]]
    column_price[done] -= lowest - reached[done]
    while True:
        row = int(before[column])
        row_of[column] = row
        column, column_of[row] = int(column_of[row]), column
        if row == start:
            return


def _clusters(costs: Mapping[tuple[int, int], float]) -> Sequence[list[tuple[int, int]]]:
    """The pairs by what they touch, in the order of their first."""
    if len({i for i, _ in costs}) == len(costs) == len({j for _, j in costs}):
        return [[pair] for pair in costs]
    parent: dict[tuple[int, int], tuple[int, int]] = {}

    def root(node: tuple[int, int]) -> tuple[int, int]:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = node = parent[parent[node]]
        return node

    for i, j in costs:
        parent[root((0, i))] = root((1, j))
    clusters: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for i, j in sorted(costs):
        clusters.setdefault(root((0, i)), []).append((i, j))
    return list(clusters.values())
