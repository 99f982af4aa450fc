import pytest

from tests.validation.faults import CRON_WORKFLOW, CRONJOB, WORKFLOW
from wurzel.validation import check_files, check_manifests
from wurzel.validation.manifest import Node, documents


def messages(text, **options):
    return [str(problem) for problem in check_manifests({"a.yaml": text}, **options)]


@pytest.mark.parametrize("word", ["on", "N", "y", "0123", "null-", "2001-01-01"])
def test_values_are_read_as_kubernetes_reads_them(word):
    """YAML 1.1: an unquoted `on` is a boolean, `0123` a number, so neither is the text of a variable."""
    found = messages(CRONJOB.replace('{name: A, value: "1"}', f"{{name: A, value: {word}}}"))
    assert bool(found) == (word != "null-")
    assert all("is not text" in item for item in found)


def test_a_key_twice_is_no_yaml():
    (found,) = messages(CRONJOB.replace("  timeZone:", "  schedule: '@daily'\n  timeZone:"))
    assert "duplicate key" in found
    assert found.startswith("a.yaml:10: ")


def test_an_unquoted_star_is_an_alias():
    (found,) = messages(CRONJOB.replace('"0 4 * * *"', "* * * * *"))
    assert "a.yaml:9: is not valid YAML" in found


def test_lines_are_those_of_the_file_in_later_documents():
    (found,) = messages("kind: ServiceAccount\napiVersion: v1\nmetadata: {name: a}\n---\n\na: [\n")
    assert found.startswith("a.yaml:")
    assert int(found.split(":")[1]) >= 6


def test_a_document_that_is_no_object():
    assert messages("- a\n") == ["a.yaml: contains list, not an object"]
    assert messages("---\n---\n") == []


@pytest.mark.parametrize("text", ["a: 1\n", "kind: Pod\n", "apiVersion: v1\n"])
def test_an_object_without_a_kind_is_no_traceback(text):
    assert "has no kind and apiVersion" in str(check_files({"a.yaml": text}))


def test_a_kind_without_rules_of_ours_is_left_to_the_schemas():
    pod = "kind: Pod\napiVersion: v1\nmetadata: {name: a}\n"
    assert messages(pod) == []
    (found,) = check_files({"a.yaml": pod.replace("Pod", "Podd")})
    assert "has no 'v1' Podd" in str(found)


def test_an_object_that_is_too_large():
    found = messages(CRONJOB + f"# {'x' * 2**20}\n")
    assert any("at most 1048576" in item for item in found)


def test_annotations_that_are_too_large():
    found = messages(
        f"kind: ServiceAccount\napiVersion: v1\nmetadata: {{name: a, annotations: {{k: {'x' * 2**18}}}}}\n"
    )
    assert any("at most 262144" in item for item in found)


def test_a_claim():
    good = "kind: PersistentVolumeClaim\napiVersion: v1\nmetadata: {name: a}\nspec:\n  accessModes: [ReadWriteOnce]\n"
    assert messages(good + "  resources: {requests: {storage: 1Gi}}\n") == []
    assert "is not a quantity" in messages(good + "  resources: {requests: {storage: 1 GB}}\n")[0]
    assert (
        "not an access mode" in messages(good.replace("Once", "Twice") + "  resources: {requests: {storage: 1}}\n")[0]
    )
    assert "'None' is not" in messages(good)[0]


def test_pods_need_not_be_restricted_when_told_so():
    loose = CRONJOB.replace("runAsNonRoot: true, ", "")
    assert len(messages(loose)) == 1
    assert messages(loose, restricted=False) == []


SIDE = (
    "{name: cache, image: 'redis:8', securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}}"
)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("", "", []),
        (", capabilities: {drop: [ALL]}", "", ["requires drop: [ALL]"]),
        ("image: 'redis:8', ", "", ["has no image"]),
        ("name: cache", "name: wait", ["'wait' is the name of one of Argo's containers"]),
    ],
)
@pytest.mark.parametrize("where", ["sidecars", "initContainers"])
def test_a_container_beside_a_step_is_checked_as_one(where, old, new, found):
    side = f"{where}: [{SIDE.replace(old, new)}]"
    for text in (
        WORKFLOW.replace("    - name: words\n", f"    - name: words\n      {side}\n"),
        WORKFLOW.replace("  templateDefaults:\n", f"  templateDefaults:\n    {side}\n"),
    ):
        assert side in text
        said = messages(text)
        assert len(said) == len(found)
        assert all(part in message for part, message in zip(found, said, strict=True))


def test_a_cron_workflow_finds_its_template_in_another_file():
    cron = CRON_WORKFLOW.partition("  workflowSpec:")[0] + "  workflowSpec: {workflowTemplateRef: {name: rag}}\n"
    template = WORKFLOW.replace("kind: Workflow", "kind: WorkflowTemplate").replace("generateName: rag-", "name: rag")
    assert "no WorkflowTemplate 'rag'" in str(check_manifests({"cron.yaml": cron})[0])
    assert check_files({"template.yaml": template, "cron.yaml": cron}) == []


def test_a_missing_value_has_a_path_and_no_entries():
    node = Node({"a": [1]}, "x")["b"]["c"]
    assert node.path == "x.b.c"
    assert not node
    assert [list(node), list(node.entries()), node.text, node.number] == [[], [], "", None]


@pytest.mark.parametrize("junk", ["1", "[1]", "text", "[{a: [b]}]", "{a: {b: c}}", "[[x]]", "true"])
def test_no_shape_of_a_manifest_breaks_the_checks(junk):
    lines = [line for text in (CRONJOB, WORKFLOW) for line in text.splitlines()]
    keys = sorted(
        {line.strip(" -").partition(":")[0] for line in lines if line.strip(" -").partition(":")[2].strip() == ""}
    )
    for text in (CRONJOB, WORKFLOW, CRON_WORKFLOW):
        found, _ = documents("a.yaml", text)
        for key in keys:
            broken = _replaced(found[0].root.value, key, junk)
            check_manifests({"a.yaml": broken})


def _replaced(value, key, junk):
    import yaml

    def walk(node):
        if isinstance(node, dict):
            return {name: yaml.safe_load(junk) if name == key else walk(item) for name, item in node.items()}
        return [walk(item) for item in node] if isinstance(node, list) else node

    return yaml.safe_dump(walk(value))
