"""Runs the property tests against broken copies of the gateway, and prints which of them noticed.

A process of its own (`python mutants.py < mutations.json`), because it forks: what takes long to import is imported
once, and each child imports Seatcast itself with one place in its source replaced. Nothing is written to disk but
each child's output. Asked is a list of `[[module, before, after], files of tests]`, answered one of
`[exit code, output]`, with pytest's codes: 0 nothing was noticed, 1 a test failed, others: it did not run.
"""

import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent

PLUGINS = ["pytest_asyncio.plugin", "pytest_timeout", "_hypothesis_pytestplugin"]

HEAVY = [
    "httpx",
    "hypothesis",
    "litestar",
    "picows",
    "prometheus_client",
    "pytest",
    "structlog",
    "uvloop",
    *PLUGINS,
]


class Mutant(importlib.abc.MetaPathFinder):
    """Imports one module with its source changed."""

    def __init__(self, module, before, after):
        self.module, self.before, self.after = module, before, after

    def find_spec(self, name, path, target=None):
        if name != self.module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        return importlib.util.spec_from_file_location(
            name, spec.origin, loader=Changed(name, spec.origin, self)
        )


class Changed(importlib.machinery.SourceFileLoader):
    def __init__(self, name, path, mutant):
        super().__init__(name, path)
        self.mutant = mutant

    def get_code(self, fullname):
        source = Path(self.path).read_text()
        assert source.count(self.mutant.before) == 1, (fullname, self.mutant.before)
        return compile(source.replace(self.mutant.before, self.mutant.after), self.path, "exec")


def run(mutation, tests, output):
    """In a child: run the tests against a mutation (None: against the code as it is)."""
    import pytest

    if mutation is not None:
        sys.meta_path.insert(0, Mutant(*mutation))
    sys.stdout.flush()
    os.dup2(output.fileno(), 1)
    os.dup2(output.fileno(), 2)
    plugins = [word for plugin in PLUGINS for word in ("-p", plugin)]
    quiet = [
        "-x",
        "-q",
        "--no-header",
        "--assert=plain",
        "-p",
        "no:cacheprovider",
        "--hypothesis-profile=mutants",
    ]
    return pytest.main([*plugins, *quiet, *(str(HERE / test) for test in tests)])


def main():
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    # pytest would not shorten its summary there, and a history is long.
    os.environ.pop("CI", None)
    for name in HEAVY:
        importlib.import_module(name)
    asked = json.load(sys.stdin)
    answers = []
    for mutation, tests in asked:
        with tempfile.TemporaryFile() as output:
            child = os.fork()
            if child == 0:
                os._exit(int(run(mutation, tests, output)))
            _, status = os.waitpid(child, 0)
            output.seek(0)
            answers.append([os.waitstatus_to_exitcode(status), output.read().decode()[-2_000:]])
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
