import shutil
import subprocess
import sys
import zipfile
from base64 import urlsafe_b64encode
from hashlib import sha256

import pytest

from tests.plain import plain_step
from wurzel.invocation.code import Code
from wurzel.invocation.digests import FileDigests
from wurzel.ir.model import DataType

STEP = plain_step(id="load", run="app:Load", output=DataType(contract="app:Doc"))


def wheel(folder, name, files, *, version="1.0", tag="py3-none-any", requires=()):
    """A wheel as a build tool makes it."""
    info = f"{name}-{version}.dist-info"
    needs = "".join(f"Requires-Dist: {text}\n" for text in requires)
    found = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name}={name}:main\n",
    }
    lines = [
        f"{path},sha256={urlsafe_b64encode(sha256(text.encode()).digest()).decode().rstrip('=')},{len(text)}"
        for path, text in found.items()
    ]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in found.items():
            archive.writestr(file, text)
        archive.writestr(f"{info}/RECORD", "\n".join([*lines, f"{info}/RECORD,,"]) + "\n")
    return path


def unpacked(path, site):
    """What an installer makes of a wheel."""
    shutil.unpack_archive(path, site, "zip")
    return site


@pytest.fixture
def packages(tmp_path, monkeypatch):
    """Digest of the packages of a step that imports `lib`, found below some folders."""
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "app.py").write_text("import lib\n")

    def packages(*sites, store=None):
        monkeypatch.setattr(
            sys, "path", [*map(str, sites), *(path for path in sys.path if "site-packages" not in path)]
        )
        return Code(tmp_path / "project", FileDigests(store)).digests(STEP)["packages"]

    return packages


@pytest.fixture
def digest(packages, tmp_path):
    """As `packages`, of wheels that are installed one after the other into a folder of their own."""

    def digest(*wheels):
        site = tmp_path / f"env{len(list(tmp_path.iterdir()))}" / "site-packages"
        for path in wheels:
            unpacked(path, site)
        return packages(site)

    return digest


def test_the_files_of_a_wheel_count_even_under_the_same_version(tmp_path, digest):
    one = wheel(tmp_path / "1", "lib", {"lib/__init__.py": "V = 1"})
    other = wheel(tmp_path / "2", "lib", {"lib/__init__.py": "V = 2"})
    later = wheel(tmp_path / "3", "lib", {"lib/__init__.py": "V = 1"}, version="1.1")
    assert len({digest(one), digest(other), digest(later)}) == 3
    assert digest(one) == digest(one)


def test_a_wheel_for_one_platform_counts_by_name_and_version(tmp_path, digest):
    one = wheel(
        tmp_path / "1", "lib", {"lib/__init__.py": "", "lib/a.so": "x"}, tag="cp311-cp311-manylinux_2_17_x86_64"
    )
    other = wheel(tmp_path / "2", "lib", {"lib/__init__.py": "", "lib/a.so": "y"}, tag="cp311-cp311-macosx_11_0_arm64")
    assert digest(one) == digest(other)


def test_a_distribution_without_a_record_counts_by_name_and_version(tmp_path, packages):
    path = wheel(tmp_path, "lib", {"lib/__init__.py": ""})
    sites = [unpacked(path, tmp_path / name / "site-packages") for name in ("a", "b")]
    for site in sites:
        (site / "lib-1.0.dist-info" / "RECORD").unlink()
        (site / "lib-1.0.dist-info" / "top_level.txt").write_text("lib\n")
    (sites[1] / "lib" / "__init__.py").write_text("other")
    assert packages(sites[0]) == packages(sites[1])


def test_a_distribution_is_found_by_the_name_of_its_module(tmp_path, digest):
    made = [wheel(tmp_path / str(n), "Other.Name", {"lib/__init__.py": f"V = {n}"}) for n in range(2)]
    assert digest(made[0]) != digest(made[1])


def test_what_a_distribution_requires_counts_as_far_as_it_is_installed(tmp_path, digest):
    lib = wheel(tmp_path, "lib", {"lib/__init__.py": ""}, requires=["dep[fast]>=1; python_version > '3'", "absent"])
    deps = [wheel(tmp_path / str(n), "dep", {"dep.py": f"V = {n}"}, requires=['deep; extra == "fast"']) for n in (1, 2)]
    deep = [wheel(tmp_path / f"d{n}", "deep", {"deep.py": f"V = {n}"}) for n in (1, 2)]
    assert len({digest(lib), *(digest(lib, dep, one) for dep in deps for one in deep)}) == 5


def test_an_extra_that_nobody_asks_for_does_not_count(tmp_path, digest):
    lib = wheel(tmp_path, "lib", {"lib/__init__.py": ""}, requires=["dep; extra == 'test'"])
    other = wheel(tmp_path, "unused", {"unused.py": ""})
    assert digest(lib, wheel(tmp_path, "dep", {"dep.py": ""}), other) == digest(lib)


def test_packages_of_one_namespace_are_told_apart(tmp_path, digest):
    (tmp_path / "project" / "app.py").write_text("from space import lib\n")
    lib, same = (
        {name: wheel(tmp_path / str(n), name, {f"space/{name}/__init__.py": f"{n}"}) for name in ("lib", "z")}
        for n in (1, 2)
    )
    assert digest(lib["lib"], lib["z"]) == digest(lib["lib"], same["z"]) != digest(same["lib"], lib["z"])


def test_a_package_installed_from_a_folder_counts_as_source(tmp_path, packages):
    sites = [
        unpacked(wheel(tmp_path, "lib", {"lib/__init__.py": ""}), tmp_path / name / "site-packages") for name in "ab"
    ]
    for site in sites:
        (site / "lib-1.0.dist-info" / "direct_url.json").write_text('{"url": "file:///x/lib", "dir_info": {}}')
    (sites[1] / "lib" / "prompt.txt").write_text("other")
    found = []
    for site in sites:
        packages(site)
        found.append(Code(tmp_path / "project", FileDigests()).digests(STEP)["code"])
    assert found[0] != found[1]


def test_what_is_remembered_is_forgotten_when_a_package_is_installed_anew(tmp_path, packages):
    site, store = tmp_path / "env" / "site-packages", tmp_path / "digests.json"
    found = set()
    for number in range(3):
        shutil.rmtree(site, ignore_errors=True)
        unpacked(wheel(tmp_path / str(number), "lib", {"lib/__init__.py": f"V = {number}"}), site)
        found |= {packages(site, store=store), packages(site, store=store)}
    assert len(found) == 3


def test_pip_and_uv_in_two_environments_agree(tmp_path, packages):
    path = wheel(tmp_path, "lib", {"lib/__init__.py": "def main(): pass", "lib/data.txt": "x"})
    uv = shutil.which("uv")
    sites = []
    for number, command in enumerate(
        [
            [sys.executable, "-m", "pip", "--python", "{env}", "install", "-q", "--no-index", str(path)],
            [
                sys.executable,
                "-m",
                "pip",
                "--python",
                "{env}",
                "install",
                "-q",
                "--no-index",
                "--no-compile",
                str(path),
            ],
            *([[uv, "pip", "install", "-q", "--no-index", "--offline", "-p", "{env}", str(path)]] if uv else []),
        ]
    ):
        env = tmp_path / f"env-{number}"
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", env], check=True)
        subprocess.run([word.replace("{env}", str(env)) for word in command], check=True)
        sites += env.glob("lib/python*/site-packages")
    assert len({packages(site) for site in sites}) == 1
    assert len(sites) == (3 if uv else 2)
