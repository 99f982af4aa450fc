"""The Python of jobs fits what a project allows."""

import pytest

from wurzel.project.home import python_of


@pytest.mark.parametrize(
    ("required", "found"),
    [
        (">=3.11", "3.12"),
        (">=3.13", "3.13"),
        (">=3.12.4,<4", "3.12"),
        (">= 3.13.1, <4.0", "3.13"),
        (">=3.11,<3.12", "3.11"),
        ("==3.14.*", "3.14"),
        ("~=3.13", "3.13"),
        ("!=3.12.*,>=3.11", "3.11"),
        ("==3.11.4", "3.12"),
        (">=4", "3.12"),
        ("what", "3.12"),
    ],
)
def test_the_usual_one_if_it_is_allowed_else_the_lowest(tmp_path, required, found):
    (tmp_path / "pyproject.toml").write_text(f'[project]\nrequires-python = "{required}"\n')
    assert python_of(tmp_path) == found


@pytest.mark.parametrize(
    ("required", "found"), [("^3.11", "3.12"), ("^3.13", "3.13"), ("~3.11.2", "3.11"), ("3.13.*", "3.13")]
)
def test_poetry_has_forms_of_its_own(tmp_path, required, found):
    text = f'[tool.poetry]\nname = "x"\n[tool.poetry.dependencies]\npython = "{required}"\nclick = "8"\n'
    (tmp_path / "pyproject.toml").write_text(text)
    assert python_of(tmp_path) == found


@pytest.mark.parametrize(
    ("pinned", "found"),
    [("3.13.2\n", "3.13"), ("# ours\ncpython-3.11\n", "3.11"), ("pypy3.10\n", "3.14"), ("", "3.14")],
)
def test_a_pinned_version_comes_first(tmp_path, pinned, found):
    (tmp_path / ".python-version").write_text(pinned)
    (tmp_path / "pyproject.toml").write_text('requires-python = ">=3.14"')
    assert python_of(tmp_path) == found
