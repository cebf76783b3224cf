"""Writes a configuration of openapi-generator for each language and API: the options that docs/publishing.md has."""

import json
import pathlib
import sys

work, languages = pathlib.Path(sys.argv[1]), sys.argv[2:]
OPTIONS = {
    "python": {"generatorName": "python", "packageName": "huaweicloud_{name}"},
    "go": {
        "generatorName": "go",
        "packageName": "{name}",
        "additionalProperties": {"enumClassPrefix": True, "withGoMod": False},
    },
    "java": {
        "generatorName": "java",
        "library": "native",
        "invokerPackage": "com.huaweicloud.{name}",
        "apiPackage": "com.huaweicloud.{name}.api",
        "modelPackage": "com.huaweicloud.{name}.model",
        "additionalProperties": {"openApiNullable": False, "containerDefaultToNull": True},
    },
    "typescript": {"generatorName": "typescript-fetch"},
}
ONLY_CODE = {"apiDocs": "false", "apiTests": "false", "modelDocs": "false", "modelTests": "false"}

for language in languages:
    for name in ("iam", "modelarts", "mrs"):
        options = json.loads(json.dumps(OPTIONS[language]).replace("{name}", name))
        options["inputSpec"] = str(work / "export" / "generators" / f"{name}.yaml")
        options["outputDir"] = str(work / language / name)
        options["globalProperties"] = ONLY_CODE
        (work / f"{language}-{name}.config.json").write_text(json.dumps(options), "utf-8")
