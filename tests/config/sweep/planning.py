"""Plans of sweeps that are written in a test."""

from pathlib import Path
from typing import Any

import pytest

from dnnexp.config.load import ConfigError
from dnnexp.config.sweep import Plan, plan


def planned(text: str, *arguments: str, **options: Any) -> Plan:
    """The plan of a sweep over `quadratic.yaml`, unless the text says of what."""
    Path("sweep.yaml").write_text(
        text if "base:" in text else f"experiment: sweep\nbase: quadratic.yaml\n{text}"
    )
    return plan([Path("sweep.yaml")], arguments, **options)


def swept(text: str, *arguments: str, **options: Any) -> list[tuple[Any, ...]]:
    """The values of the swept keys, a row a job."""
    return [tuple(job.swept.values()) for job in planned(text, *arguments, **options).jobs]


def problems(text: str, *arguments: str, **options: Any) -> list[str]:
    """The lines of the error; each is one line."""
    with pytest.raises(ConfigError) as error:
        planned(text, *arguments, **options)
    assert str(error.value).splitlines() == error.value.problems
    return error.value.problems


def problems_of(files: list[str], *arguments: str, **options: Any) -> list[str]:
    """The lines of the error of a sweep over configs."""
    with pytest.raises(ConfigError) as error:
        plan([Path(file) for file in files], arguments, **options)
    return error.value.problems
