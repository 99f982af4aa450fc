import sys

import pytest

from wurzel.core.importing import import_object
from wurzel.exceptions import PipelineError, StaticTypeError


@pytest.fixture
def package(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path])
    folder = tmp_path / "imppkg"
    (folder / "sub").mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    (folder / "sub" / "__init__.py").write_text("class Outer:\n    class Inner:\n        value = 7\n")
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if name.startswith("imp"):
            del sys.modules[name]


@pytest.mark.parametrize(
    "name", ["imppkg.sub:Outer.Inner.value", "imppkg.sub.Outer.Inner.value", "imppkg:sub.Outer.Inner.value"]
)
def test_either_form_finds_it(package, name):
    import_object("imppkg.sub:Outer")
    assert import_object(name) == 7


def test_the_current_folder_comes_first(package):
    import_object("imppkg.sub:Outer")
    assert sys.path[0] == str(package.parent)
    assert import_object("pathlib:Path").__name__ == "Path"


@pytest.mark.parametrize("name", ["", ":", "a:", ":b", "a b:c", "a:b:c", ".a:b", "a..b:c", "a", "a/b.py:c", "1a:b"])
def test_names_of_nothing(package, name):
    with pytest.raises(PipelineError, match="does not name an object"):
        import_object(name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("imppkgs:x", "there is no module 'imppkgs'\n  Did you mean imppkg? Modules in"),
        ("imppkg.nope:x", "there is no module 'imppkg.nope'"),
        ("imppkg.sub:Outter", "the module 'imppkg.sub' has no attribute 'Outter'\n  Did you mean Outer?"),
        ("imppkg.sub:Outer.Iner", "'Outer' has no attribute 'Iner'\n  Did you mean Inner?"),
        ("imppkg.sub.Outer.Iner", "'Outer' has no attribute 'Iner'"),
        ("nothing.at.all", "there is no module 'nothing.at'"),
        ("imppkg.sub.py", "has no attribute 'py'"),
    ],
)
def test_what_is_not_there(package, name, message):
    with pytest.raises(PipelineError) as caught:
        import_object(name)
    assert message in str(caught.value)
    assert caught.value.exit_code == 2


def test_an_error_inside_the_module_is_not_mistaken_for_a_missing_one(package):
    (package / "broken.py").write_text("import imppkg.absent\n")
    with pytest.raises(
        PipelineError, match=r"cannot be imported:\nTraceback(.|\n)*broken.py(.|\n)*imppkg.absent"
    ) as caught:
        import_object("imppkg.broken:x")
    assert "importlib" not in str(caught.value)


def test_our_own_errors_keep_their_class_and_get_the_line(package):
    (package / "chain.py").write_text(
        "from wurzel.core import PydanticModel, TypedStep\nfrom wurzel.utils import WZ\n\n"
        "class A(PydanticModel): ...\n\n"
        "class Make(TypedStep[None, None, A]):\n    def run(self, inpt: None) -> A: ...\n\n"
        "x = WZ(Make) >> WZ(Make)\n"
    )
    with pytest.raises(StaticTypeError, match=r"imppkg/chain.py:9: Cannot chain Make to Make"):
        import_object("imppkg.chain:x")


def test_a_module_that_exits(package):
    (package / "exits.py").write_text("import sys\nsys.exit(3)\n")
    with pytest.raises(PipelineError, match=r"it calls sys.exit\(3\) at imppkg/exits.py:2"):
        import_object("imppkg.exits:x")


def test_a_module_that_ends_the_process(package):
    (package / "ends.py").write_text("import os\nos._exit(0)\n")
    with pytest.raises(PipelineError, match=r"it calls os._exit\(0\) at imppkg/ends.py:2"):
        import_object("imppkg.ends:x")
