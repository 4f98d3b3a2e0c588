"""The documents that list things list all of them."""

import ast
import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETTING = re.compile(
    r"""env(?:iron(?:ment)?)?\.\w+\(\s*"([A-Z][A-Z0-9_]+)\""""
    r"""|\(environment, "([A-Z_]+)\""""
    r"""|environ(?:ment)?\["([A-Z_]+)"\]"""
)
# What the process itself sets for others, or the platform sets for it.
NOT_SETTINGS = {"DJANGO_SETTINGS_MODULE", "MAKELEVEL", "CELERY_SKIP_CHECKS"}


@pytest.mark.parametrize("name", ["requirements.in", "requirements-dev.in"])
def test_every_dependency_is_explained(name: str) -> None:
    document = (ROOT / "docs" / "dependencies.md").read_text()
    explained = set(re.findall(r"^\| ([\w.-]+) \|", document, re.MULTILINE))
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and line[0] not in "#-"]
    asked_for = {re.split(r"[\[;~=<> ]", line)[0] for line in lines}
    assert asked_for
    assert asked_for - explained == set()


def test_what_runs_imports_only_what_is_asked_for_at_run_time() -> None:
    first_party = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"bench", "tests"}
    imported = {
        name.partition(".")[0]
        for app in first_party
        for path in (ROOT / app).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in names_imported_by(node)
    }
    foreign = imported - first_party - sys.stdlib_module_names
    lines = (ROOT / "requirements.in").read_text().lower().splitlines()
    asked_for = {re.split(r"[\[;~=<> ]", line)[0].replace("_", "-") for line in lines}
    distributions = packages_distributions()
    missing = {
        module
        for module in foreign
        if not {name.lower().replace("_", "-") for name in distributions.get(module, [])} & asked_for
    }
    assert missing == set()


def names_imported_by(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []


def test_every_explained_dependency_is_still_asked_for() -> None:
    document = (ROOT / "docs" / "dependencies.md").read_text().partition("## In `static/vendor/`")[0]
    explained = set(re.findall(r"^\| ([\w.-]+) \|", document, re.MULTILINE)) - {"package", "---"}
    asked_for = (ROOT / "requirements.in").read_text() + (ROOT / "requirements-dev.in").read_text()
    assert {name for name in explained if not re.search(rf"^{re.escape(name)}\b", asked_for, re.MULTILINE)} == set()


def test_every_setting_stands_in_the_example_environment() -> None:
    read = {
        name
        for path in (ROOT / "config").rglob("*.py")
        for groups in SETTING.findall(path.read_text())
        for name in groups
        if name
    }
    assert {"SECRET_KEY", "DATABASE_URL", "WEB_WORKERS", "ADMIN_EMAIL"} <= read
    example = (ROOT / "deploy" / "env.example").read_text()
    shown = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", example, re.MULTILINE))
    assert read - NOT_SETTINGS - shown == set()


def test_the_example_environment_shows_no_setting_that_is_gone() -> None:
    example = (ROOT / "deploy" / "env.example").read_text()
    shown = set(re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", example, re.MULTILINE))
    sources = [*(ROOT / "config").rglob("*.py"), ROOT / "deploy" / "compose.yaml"]
    text = "\n".join(path.read_text() for path in sources)
    assert {name for name in shown if not re.search(rf"\b{name}\b", text)} == set()
