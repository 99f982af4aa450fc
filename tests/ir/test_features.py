from wurzel.ir import model, pods, schedule
from wurzel.ir.features import FEATURES, feature_of, used
from wurzel.models import Model
from wurzel.testing import full_pipeline, variants

STRUCTURE = {
    "DataType": {"contract", "containers"},
    "Edge": {"step", "output", "input"},
    "InputPort": {"optional"},
    "SecretRef": {"name", "key"},
    "Setting": {
        "name", "variable", "type", "description", "required", "secret", "text", "default", "computed", "input_path",
        "input_places", "bounds",
    },
    "StoreIdentity": {"role", "untrusted_role", "audience"},
    "StoreSecrets": {"access_key_id", "secret_access_key"},
    "Store": {"url", "endpoint", "region", "cache", "identity", "secrets"},
    "Step": {"id", "run", "needs", "inputs", "outputs", "sources", "cache", "cache_key", "variables"},
    "Pipeline": {"version", "name", "entrypoint", "env_ignored", "variables"},
}  # fmt: skip
"""Fields that say what the pipeline is, not what it asks of a target."""
MODULES = (model, pods, schedule)


def models():
    return [
        cls
        for module in MODULES
        for cls in vars(module).values()
        if isinstance(cls, type) and issubclass(cls, Model) and cls.__module__ == module.__name__
    ]


def holds_models(field):
    return any(f"{module.__name__}." in str(field.annotation) for module in MODULES)


def test_every_field_is_structure_or_marked_with_a_feature():
    for cls in models():
        for name, field in cls.model_fields.items():
            marked = feature_of(cls, name) is not None
            structural = name in STRUCTURE.get(cls.__name__, ()) or (not marked and holds_models(field))
            assert marked != structural, f"{cls.__name__}.{name}"


def test_every_mark_names_a_feature_and_every_feature_is_marked():
    marks = {feature_of(cls, name) for cls in models() for name in cls.model_fields} - {None}
    assert marks == set(FEATURES)


def test_every_feature_is_used_by_the_full_pipeline_or_by_a_variant_of_it():
    pipelines = [full_pipeline(), *(variant.pipeline for variant in variants())]
    assert {use.feature for pipeline in pipelines for use in used(pipeline)} == set(FEATURES)


def test_variants_cover_every_marked_field_and_change_it():
    base = full_pipeline()
    found = list(variants())
    assert {variant.feature for variant in found} == set(FEATURES)
    assert all(variant.pipeline != base for variant in found)
    assert len({variant.path for variant in found}) == len(found)


def test_uses_are_placed():
    uses = {use.path: use.feature for use in used(full_pipeline())}
    assert uses["steps.suffix.resources.gpu"] == "gpu"
    assert uses["steps.suffix.settings.SUFFIX"] == "settings"
    assert uses["schedule.cron"] == "schedule"
