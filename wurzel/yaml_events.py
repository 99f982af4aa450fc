"""The parser of ruamel.yaml in C, its events and its errors, imported without the rest of ruamel.yaml."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from wurzel.lean import load_ruamel

load_ruamel()

from ruamel.yaml import events  # noqa: E402 - what is above makes it cheap
from ruamel.yaml.error import MarkedYAMLError, YAMLError  # noqa: E402

__all__ = ["CParser", "MarkedYAMLError", "YAMLError", "events"]

CParser: Any
try:
    CParser = import_module("_ruamel_yaml").CParser
except ModuleNotFoundError:  # built with another name
    CParser = import_module("ruamel.yaml.cyaml").CParser
