"""Writes types.go: the Go type of each schema that a conformance vector decodes to."""

import json
import pathlib
import sys

folder, target = map(pathlib.Path, sys.argv[1:])
names = set()
for service in ("iam", "modelarts", "mrs"):
    for vector in json.loads((folder / f"{service}.json").read_text("utf-8")):
        if schema := vector.get("decodesTo", {}).get("schema"):
            names.add(f"{service}.{schema}")
rows = "".join(f'\t"{name}": reflect.TypeOf({name}{{}}),\n' for name in sorted(names))
target.write_text(
    'package main\n\nimport (\n\t"reflect"\n\n\t"iam"\n\t"modelarts"\n\t"mrs"\n)\n\n'
    f"var types = map[string]reflect.Type{{\n{rows}}}\n",
    "utf-8",
)
