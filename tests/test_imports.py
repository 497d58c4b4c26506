"""Which part of the package may import which, and what a command must not load."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

import dnnexp

ROOT = Path(dnnexp.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))

# The table of the design. A part of the package may import itself, what stands here, `EVERYWHERE` and the
# standard library.
OURS = {
    "registry": set[str](),
    "text": set[str](),
    "expression": set[str](),
    "plugins": {"registry"},
    "core": {"registry", "expression"},
    "figures": set[str](),
    "experiments": {"core", "registry", "figures"},  # figures where they draw
    "config": {"registry", "expression", "experiments"},
    "runs": set[str](),
    "execution": {
        *("registry", "plugins", "expression", "core", "figures", "experiments", "config", "runs"),
    },
    "cli": {
        *("registry", "plugins", "expression", "core", "figures", "experiments", "config", "runs"),
        "execution",
    },
    "__main__": {"cli"},
    "__init__": set[str](),
}
EVERYWHERE = {"text", "__version__", ""}
"""What every part may import: how numbers are written, and the version."""
THEIRS = {
    "registry": {"annotated_types"},
    "text": set[str](),
    "expression": {"numpy"},
    "plugins": set[str](),
    "core": {"numpy", "scipy", "sklearn", "annotated_types"},
    "experiments": {"numpy", "annotated_types", "rich", "matplotlib", "PIL"},  # see below
    "config": {"yaml", "pydantic", "pydantic_core", "annotated_types"},
    "runs": {"numpy", "filelock"},
    "figures": {"numpy", "matplotlib"},
    "execution": {"numpy", "rich", "matplotlib", "dask", "distributed", "threadpoolctl"},
    "cli": {"click", "rich", "numpy", "annotated_types", "matplotlib"},
    "__main__": {"click"},
    "__init__": set[str](),
}


def part_of(module: Path) -> str:
    """`core` for `dnnexp/core/optimizers.py`, `registry` for `dnnexp/registry.py`."""
    return module.relative_to(ROOT).parts[0].removesuffix(".py")


def imports(module: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of all that a module imports, also inside of functions."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: imports are absolute here"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def test_the_table_has_every_part_of_the_package() -> None:
    assert {part_of(module) for module in MODULES} == set(OURS) == set(THEIRS)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_what_its_part_may(module: Path) -> None:
    part = part_of(module)
    names = {path.stem for path in ROOT.iterdir()}
    refused = []
    for line, name in imports(module):
        top, _, rest = name.partition(".")
        if top == "dnnexp":
            other = rest.partition(".")[0]
            is_allowed = other in OURS[part] | EVERYWHERE | {part} or other not in names
        else:
            is_allowed = top in THEIRS[part] or top in sys.stdlib_module_names
        if not is_allowed:
            refused.append(f"{module.name}:{line} imports {name}")
    assert refused == []


def test_nothing_imports_the_command_line() -> None:
    users = {
        part_of(module) for module in MODULES for _, name in imports(module) if name.startswith("dnnexp.cli")
    }
    assert users <= {"cli", "__main__"}


def test_every_package_that_is_imported_is_declared() -> None:
    from importlib.metadata import requires

    # an extra's package is imported where a config needs it
    declared = {line.split(";")[0].split(">")[0].strip(" ").lower() for line in requires("dnnexp") or ()}
    found = packages_distributions()
    used = {name.partition(".")[0] for module in MODULES for _, name in imports(module)}
    outside = {top for top in used if top not in sys.stdlib_module_names and top != "dnnexp"}
    # pydantic_core is pydantic's own other half, pinned by it
    assert {found[top][0].lower() for top in outside} - {"pydantic_core", "pydantic-core"} <= declared


def loaded(code: str) -> set[str]:
    """The top-level modules that some code has loaded when it ends."""
    script = f"import sys, json\n{code}\nprint(json.dumps(sorted(sys.modules)))"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in json.loads(ran.stdout.splitlines()[-1])}


COMMAND = """
sys.argv = ["dnnexp", *{arguments!r}]
from dnnexp.__main__ import main
try:
    main()
except SystemExit as ended:
    assert ended.code == {code}, ended.code
"""
HEAVY = {"numpy", "matplotlib", "pydantic", "pydantic_core", "rich", "yaml", "annotated_types", "scipy"}


@pytest.mark.parametrize(
    ("arguments", "code"), [(["--help"], 0), (["--version"], 0), (["optimize", "-h"], 0), (["optmize"], 2)]
)
def test_help_loads_nothing_heavy(arguments: list[str], code: int) -> None:
    modules = loaded(COMMAND.format(arguments=arguments, code=code))
    assert "click" in modules
    assert not modules & HEAVY


def test_the_core_loads_nothing_of_the_command_line() -> None:
    modules = loaded("import dnnexp.core")
    assert "numpy" in modules
    assert not modules & {"click", "yaml", "rich", "pydantic", "matplotlib", "scipy"}


@pytest.mark.parametrize("package", ["dnnexp.core", "dnnexp.experiments"])
def test_the_computation_loads_neither_terminal_nor_files_nor_plots(package: str) -> None:
    code = f"import {package}\nfrom dnnexp import experiments\n"
    code += "[experiments.find(name).config_class for name in experiments.names()]"
    modules = loaded(code)
    assert not modules & {"click", "yaml", "rich", "pydantic", "matplotlib", "scipy", "torch", "jax"}


def test_a_listing_loads_no_validation_and_no_plots() -> None:
    modules = loaded(COMMAND.format(arguments=["list", "optimizers"], code=0))
    assert not modules & {"matplotlib", "pydantic", "yaml", "rich"}


def test_a_run_without_plots_loads_no_matplotlib(tmp_path: Path) -> None:
    arguments = ["optimize", "--smoke", "--no-plots", "-q", "-o", str(tmp_path)]
    modules = loaded(COMMAND.format(arguments=arguments, code=0))
    assert "pydantic" in modules
    assert not modules & {"matplotlib", "scipy"}
