"""`dnnexp init`: the starter configs, and an example plugin."""

from __future__ import annotations

from pathlib import Path

import click


@click.command(short_help="Write the starter configs.")
@click.argument("directory", default=".", type=click.Path(file_okay=False, path_type=Path))
def init(directory: Path) -> int:
    """Write the starter configs to DIRECTORY/configs (default: here); existing files are kept."""
    from dnnexp.config.shipped import directory as shipped
    from dnnexp.config.shipped import files

    source = shipped()
    for file in files():
        target = directory / "configs" / file.relative_to(source)
        try:
            is_new = _copy(file, target)
        except OSError as error:
            click.echo(f"dnnexp: {error.filename or target}: cannot be written: {error.strerror}", err=True)
            return 3
        click.echo(target if is_new else f"{target} (exists, kept)")
    return 0


def _copy(file: Path, target: Path) -> bool:
    """Copy a file completely or not at all; False if the target exists."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        stream = target.open("xb")
    except FileExistsError:
        return False
    try:
        with stream:
            stream.write(file.read_bytes())
    except BaseException:
        target.unlink()
        raise
    return True
