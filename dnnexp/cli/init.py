"""`dnnexp init`: the starter configs."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("directory", default=".", type=click.Path(file_okay=False, path_type=Path))
def init(directory: Path) -> int:
    """Write the starter configs to DIRECTORY/configs (here, by default); files that exist are kept."""
    from dnnexp.config.shipped import directory as shipped

    source = shipped()
    for file in sorted(source.rglob("*.yaml")):
        target = directory / "configs" / file.relative_to(source)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as stream:
                stream.write(file.read_bytes())
        except FileExistsError:
            click.echo(f"{target} (exists, kept)")
        except OSError as error:
            click.echo(f"dnnexp: {target}: cannot be written: {error.strerror}", err=True)
            return 3
        else:
            click.echo(target)
    return 0
