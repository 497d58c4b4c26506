"""The configs that come with dnnexp, and an example plugin."""

from importlib import resources
from pathlib import Path


def directory() -> Path:
    """The folder of the shipped configs: in the installed package, or beside the package in a checkout."""
    package = Path(str(resources.files("dnnexp")))
    inside = package / "configs"
    return inside if inside.is_dir() else package.parent / "configs"


def reference(experiment: str) -> Path | None:
    """The reference config of an experiment; None where it is the default config."""
    file = directory() / experiment / "reference.yaml"
    return file if file.is_file() else None


def files() -> list[Path]:
    """All configs, then all plugins, each sorted by path."""
    folder = directory()
    return sorted(folder.rglob("*.yaml")) + sorted((folder / "plugins").glob("*.py"))
