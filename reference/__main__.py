"""`python -m reference` writes what is out of date; `--check` only names it, and exits 1."""

import sys

from reference.registry import ROOT, generated


def main(arguments: list[str]) -> int:
    """Compare, and write unless told to check."""
    check = arguments == ["--check"]
    stale = []
    for path, text in generated():
        file = ROOT / path
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            stale.append(path)
            if not check:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
    for path in stale:
        print(f"{path} is out of date: run make reference" if check else f"wrote {path}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
