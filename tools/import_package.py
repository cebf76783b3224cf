"""Imports a generated package module by module, and compares its classes with the description they come from.

A generator can lose a property without a word; so each object of the description must have a class with all its fields.
"""

import importlib
import pkgutil
import re
import sys
from pathlib import Path

import attrs
from ruamel.yaml import YAML


def comparable(name: str) -> str:
    """The comparable form of a property's name: `sortBy`, `sort-by` and `sort_by` are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def main(package_folder: str, description_file: str) -> int:
    folder = Path(package_folder)
    sys.path.insert(0, str(folder.parent))
    package = importlib.import_module(folder.name)
    modules = [module.name for module in pkgutil.walk_packages(package.__path__, f"{folder.name}.")]
    classes = {}
    for module in map(importlib.import_module, modules):
        for name, value in vars(module).items():
            if isinstance(value, type) and attrs.has(value):
                classes[name.lower()] = {comparable(field.name) for field in attrs.fields(value)}

    schemas = YAML(typ="safe").load(Path(description_file))["components"]["schemas"]
    lost = []
    fields = 0
    for name, schema in schemas.items():
        if "properties" not in schema:
            continue
        # An object that can be null is the first alternative of a union.
        found = classes.get(name.lower()) or classes.get(f"{name}Type0".lower()) or set()
        fields += len(schema["properties"])
        lost += [f"{name}.{field}" for field in schema["properties"] if comparable(field) not in found]
    for field in lost:
        print(f"    not in the package: {field}")
    print(f"python  {folder.name}: {len(modules)} modules imported, {fields} fields, {len(lost)} lost")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
