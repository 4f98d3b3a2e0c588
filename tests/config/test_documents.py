"""The documents that list things list all of them."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SETTING = re.compile(
    r"""env(?:iron(?:ment)?)?\.\w+\(\s*"([A-Z][A-Z0-9_]+)\""""
    r"""|\(environment, "([A-Z_]+)\""""
    r"""|environ(?:ment)?\["([A-Z_]+)"\]"""
)
# What the process itself sets for others, or the platform sets for it.
NOT_SETTINGS = {"DJANGO_SETTINGS_MODULE", "MAKELEVEL"}


@pytest.mark.parametrize("name", ["requirements.in", "requirements-dev.in"])
def test_every_dependency_is_explained(name: str) -> None:
    document = (ROOT / "docs" / "dependencies.md").read_text()
    explained = set(re.findall(r"^\| ([\w.-]+) \|", document, re.MULTILINE))
    lines = [line for line in (ROOT / name).read_text().splitlines() if line and line[0] not in "#-"]
    asked_for = {re.split(r"[\[;~=<> ]", line)[0] for line in lines}
    assert asked_for
    assert asked_for - explained == set()


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
