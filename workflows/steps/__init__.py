"""What a workflow can do: a module per step, each of which registers itself (workflows/registry.py)."""

from importlib import import_module
from pkgutil import iter_modules

for _module in sorted(iter_modules(__path__), key=lambda each: each.name):
    import_module(f"{__name__}.{_module.name}")
