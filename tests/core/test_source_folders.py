"""Where a project keeps its modules, as build backends let it say."""

import pytest

from wurzel.core.source_folders import source_folders


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("pyproject.toml", '[tool.setuptools]\npackages = ["acme"]\npackage-dir = {"" = "lib"}\n'),
        ("pyproject.toml", '[tool.setuptools.package-dir]\n"" = "lib"\nacme = "src/acme"\n'),
        ("pyproject.toml", '[tool.setuptools.packages.find]\nwhere = ["lib", "."]\n'),
        ("pyproject.toml", '[tool.poetry]\npackages = [{include = "acme", from = "lib"}, {include = "tests"}, 3]\n'),
        ("pyproject.toml", '[tool.pdm.build]\npackage-dir = "lib"\n'),
        ("pyproject.toml", '[tool.uv.build-backend]\nmodule-root = "./lib/"\n'),
        ("pyproject.toml", '[tool.maturin]\npython-source = "lib"\n'),
        ("pyproject.toml", '[tool.hatch.build.targets.wheel]\npackages = ["lib/acme", "here", 3]\n'),
        ("pyproject.toml", '[tool.hatch.build]\nsources = ["lib"]\n'),
        ("pyproject.toml", '[tool.hatch.build.targets.wheel.sources]\nlib = ""\n"other" = "acme"\n'),
        ("setup.cfg", "[options]\npackage_dir =\n    = lib\n"),
        ("setup.cfg", "[options.packages.find]\nwhere = lib\n"),
        ("setup.py", "setup(package_dir={'': 'lib'}, packages=find_packages('lib'))\n"),
        ("setup.py", 'setup(packages=find_namespace_packages(where="lib"))\n'),
    ],
)
def test_what_packages_a_project_says_where_its_modules_are(tmp_path, name, text):
    (tmp_path / "other").mkdir()
    (tmp_path / "lib").mkdir()
    assert source_folders(tmp_path) == [tmp_path]
    (tmp_path / name).write_text(text)
    assert source_folders(tmp_path) == [tmp_path, tmp_path / "lib"]
    (tmp_path / "lib/__init__.py").write_text("")
    assert source_folders(tmp_path) == [tmp_path]


@pytest.mark.parametrize(
    "text",
    [
        '[tool.pdm.build]\npackage-dir = "../lib"\n',
        '[tool.pdm.build]\npackage-dir = "/tmp"\n',
        '[tool.pdm.build]\npackage-dir = "."\n',
        '[tool.pdm.build]\npackage-dir = "a\\u0000b"\n',
        "[tool.pdm.build]\npackage-dir = 3\n",
        '[tool]\nsetuptools = ["package-dir"]\n',
        "package-dir = [\n",
    ],
)
def test_other_folders_are_left_out(tmp_path, text):
    (tmp_path / "pyproject.toml").write_text(text)
    (tmp_path / "src").mkdir()
    assert source_folders(tmp_path) == [tmp_path, tmp_path / "src"]
