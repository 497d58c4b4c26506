"""The arguments of `dnnexp sweep`: they edit the sweep, or set keys of its configs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dnnexp.config import overrides
from dnnexp.config.load import Source
from dnnexp.config.overrides import Override, OverrideError
from dnnexp.config.shapes import hints
from dnnexp.config.sweep import grammar
from dnnexp.config.sweep.spec import SweepConfig
from dnnexp.registry import Path


def edited(source: Source, arguments: Iterable[str]) -> tuple[Source, list[Override]]:
    """The sweep with the arguments in it, and the overrides that are for every base (`+key=item`, `~key`).

    Own keys of a sweep edit it. Of the others one value goes to `fixed`, several go to `grid`.
    """
    for_bases = []
    for argument in arguments:
        try:
            target = argument.partition("=")[0]
            if target.lstrip("+~").partition(".")[0] in hints(SweepConfig):
                source = source.edited(SweepConfig, [overrides.parse(argument)])
            elif target.startswith(("+", "~")):
                for_bases.append(overrides.parse(argument))
            else:
                source = _with_key(source, argument)
        except OverrideError as error:
            source = replace(source, problems=(*source.problems, str(error)))
    return source, for_bases


def _with_key(source: Source, argument: str) -> Source:
    """A key of the configs set, in the place of what the sweep's `fixed` or `grid` says of it.

    Raises:
        OverrideError: the text gives no values, or another block sets the key.
    """
    origin = f"argument {argument!r}"
    key, _, text = argument.partition("=")
    if not all(key.split(".")):
        raise OverrideError(f"{origin}: a key is empty; write key.subkey=value")
    if block := _other_block(source.tree, key):
        raise OverrideError(f"{origin}: {key} is set by {block} in {source.places.file}; edit it there")
    try:
        values, is_single = grammar.values(text)
    except grammar.GrammarError as error:
        raise OverrideError(f"{origin}: {error}") from None
    if is_single:
        return _moved(source, key, ("fixed", "grid"), values[0], origin)
    return _moved(source, key, ("grid", "fixed"), values, origin)


def _moved(source: Source, key: str, blocks: tuple[str, str], value: object, origin: str) -> Source:
    """The key set in the first block, and gone from the second."""
    into, away = blocks
    tree = dict(source.tree)
    if isinstance(tree.get(away), dict):
        tree[away] = {k: v for k, v in tree[away].items() if k != key}
    held = tree.get(into, {})
    if not isinstance(held, dict):  # reading says what is wrong with it
        return source
    tree[into] = {**held, key: value}
    path: Path = (into, key)
    return replace(source, tree=tree, places=source.places.replaced(path, origin))


def _other_block(tree: object, key: str) -> str | None:
    """The block beside `fixed` and `grid` that has the key."""
    if not isinstance(tree, dict):
        return None
    drawn = tree.get("random")
    blocks = {"zip": [tree.get("zip")], "random": [drawn.get("keys")] if isinstance(drawn, dict) else []}
    blocks["list"] = tree["list"] if isinstance(tree.get("list"), list) else []
    return next(
        (name for name, held in blocks.items() if any(isinstance(h, dict) and key in h for h in held)), None
    )
