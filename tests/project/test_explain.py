"""Every value of a resolved pipeline is listed with its source."""

from wurzel.project.explain import explain, rows


def by_path(resolved):
    return {row.path: (row.value, row.origin) for row in rows(resolved)}


def test_every_source_is_named(resolved):
    found = by_path(
        resolved(
            "description: Docs to vectors\nenv: {A: ''}\n"
            "steps: {embed: {settings: {BATCH_SIZE: 64}, parameters: [LIMIT], secrets: {API_KEY: {name: a, key: b}}}}\n"
            "targets: {dvc: {params: p.yaml}}",
            "image=ghcr.io/acme/rag:1",
        )
    )
    assert found["description"] == ("Docs to vectors", "wurzel.yaml:5:18")
    assert found["env.A"] == ('""', "wurzel.yaml:6:14")
    assert found["image"] == ("ghcr.io/acme/rag:1", "--set image")
    assert found["schedule"] == ("-", "built-in default")
    assert found["steps.embed.timeout"] == ("60", "mypkg.steps:Embed.timeout")
    assert found["steps.embed.resources.gpu"] == ("-", "built-in default")
    assert found["steps.embed.settings.BATCH_SIZE"] == ("64", "wurzel.yaml:7:44")
    assert found["steps.embed.settings.LIMIT"] == ("512 (parameter)", "wurzel.yaml:7:61")
    assert found["steps.embed.settings.API_KEY"] == ("secret a, key b", "wurzel.yaml:7:89")
    assert found["steps.embed.secrets.EMBED__API_KEY"] == ("secret a, key b", "wurzel.yaml:7:89")
    assert found["steps.embed.settings.DB__HOST"] == ("localhost", "mypkg.steps:Embed, default of its settings")
    assert found["steps.load-docs.settings.FOLDER"] == ("(required)", "set by LOAD_DOCS__FOLDER at run time")
    assert found["targets.dvc.params"] == ("p.yaml", "wurzel.yaml:8:29")


def test_lines_are_aligned_and_short(resolved):
    lines = explain(resolved(f"description: {'word ' * 50}"))
    assert len({line.index("  ", line.index("  ") + 1) > 0 for line in lines}) == 1
    assert max(map(len, lines)) < 160
    assert lines[0].split()[0] == "description"
    assert lines[0].endswith("wurzel.yaml:5:18")
