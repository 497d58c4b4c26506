"""The configs that come with dnnexp."""

from importlib.resources import files
from pathlib import Path


def directory() -> Path:
    """The folder of shipped configs: inside an installed package, beside it in a checkout."""
    package = Path(str(files("dnnexp")))
    inside = package / "configs"
    return inside if inside.is_dir() else package.parent / "configs"


def reference(experiment: str) -> Path:
    """The reference config of an experiment."""
    return directory() / experiment / "reference.yaml"
