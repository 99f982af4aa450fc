"""The shape of `wurzel.yaml`: its keys and values, with the descriptions that its JSON Schema shows.

Fields that targets honour are defined once, in the IR; the models here copy those fields and add the ones that only
configuration has. They are never instantiated: `wurzel.project.read` reads nodes by them, with positions.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from wurzel.ir.features import FEATURES
from wurzel.ir.model import MAX_SHARDS, Pipeline, Step, Store
from wurzel.ir.names import Entrypoint, Image, Name, VariableName
from wurzel.ir.pods import MAX_COUNT, Limits, Resources
from wurzel.models import Model
from wurzel.store_url import StoreUrl

VERSION = 1

STEP_FACTS = frozenset(
    {
        "id",
        "run",
        "description",
        "needs",
        "inputs",
        "outputs",
        "sources",
        "polls",
        "self_consuming",
        "cache",
        "cache_key",
    }
    | {"settings", "when"}
)
"""Fields of an IR step that code decides, not configuration, and settings, which have their own form there."""

PIPELINE_FACTS = frozenset({"version", "name", "entrypoint", "steps"})
"""Fields of an IR pipeline that have their own form in configuration."""

PACK_FILE = "wurzel-pack.yaml"
"""The file of a pack, or of a folder of templates, with defaults for pipelines."""


SHORT_FORMS = {"shards": "max", "retry": "limit"}
"""Fields of a step for which a number is short, and what of them it sets."""


def _or_number(name: str, least: int, most: int) -> Any:
    """The definition of a field of a step for which a number is short."""
    field = Step.model_fields[name]
    cls: Any = field.annotation
    text = f"{field.description}; a number N is {{{SHORT_FORMS[name]}: N}}"
    number = Annotated[int, Field(ge=least, le=most)]
    return number | cls, Field(default_factory=cls.model_construct, description=text)


def taken_over(cls: type[Model], facts: frozenset[str]) -> dict[str, Any]:
    """Definitions of the fields of an IR model, except those that have another form in configuration."""
    return {name: (field.annotation, field) for name, field in cls.model_fields.items() if name not in facts}


_STORE_URL = Field("", description=f"{Store.model_fields['url'].description}; a layer below may set it")


class StoreConfig(Model, fields=taken_over(Store, frozenset()) | {"url": (StoreUrl, _STORE_URL)}):  # noqa: D101 - below
    __doc__ = Store.__doc__


class StepResources(Resources):  # noqa: D101 - below
    __doc__ = Resources.__doc__
    limits: Limits = Field(default_factory=Limits.model_construct, description="as `limits` of the step")


_SHORT = {
    "shards": _or_number("shards", 1, MAX_SHARDS),
    "retry": _or_number("retry", 0, MAX_COUNT),
    "resources": (StepResources, Step.model_fields["resources"]),
}
"""Fields of a step that configuration takes in a short form too, or, as class attributes, in one mapping."""

STORE = (
    StoreUrl | StoreConfig | None,
    Field(
        None,
        description=f"{Pipeline.model_fields['store'].description}; URL is short for {{url: URL}}, `none` turns it off",
    ),
)
"""`store` as configuration takes it: in a short form too, and in parts where a weaker layer has the URL."""


class StepDefaults(Model, fields=taken_over(Step, STEP_FACTS) | _SHORT):
    """Defaults for every step of a pipeline."""


class StepConfig(StepDefaults):
    """One step: what it needs to run, and its settings."""

    settings: dict[str, Any] = Field({}, description="Values of fields of the step's settings class; never secrets.")
    parameters: tuple[str, ...] = Field(
        (), description="Settings that can be overridden for one run, in the platform's own way."
    )


IGNORE: Any = (
    tuple[Literal.__getitem__(tuple(FEATURES)), ...],  # type: ignore[misc] # names of features, known when this runs
    Field((), description="Features that are used and that some targets do not support, known and accepted for all."),
)

_PIPELINE: Any = {
    "entrypoint": (
        Entrypoint,
        Field(description="`module:attribute` of the last step, a list of last steps, or a function."),
    ),
    **taken_over(Pipeline, PIPELINE_FACTS),
    "store": STORE,
    "defaults": (StepDefaults, Field({}, description="For every step.")),
    "steps": (dict[Name, StepConfig], Field({}, description="By step id.")),
    "ignore": IGNORE,
    "targets": (
        dict[str, dict[str, Any]],
        Field({}, description="Options by target; these are the pipeline's targets."),
    ),
}


class PipelineConfig(Model, fields=_PIPELINE):
    """One pipeline: where its code is, how it runs, and on which targets."""


class Environment(Model):
    """Overrides for one environment, such as `prod`."""

    variables: dict[VariableName, Any] = Field({}, description="Variables of all pipelines in this environment.")
    store: STORE[0] = Field(None, description="The store of all pipelines in this environment.")  # type: ignore[valid-type]
    pipelines: dict[Name, PipelineConfig] = Field({}, description="Overrides by pipeline.")


VALIDATE = "validate"
"""Key with options of `--validate`; a constant, since pydantic models already have a method of that name."""


class Validation(Model):
    """Options of `wurzel render --validate`."""

    schemas: tuple[str, ...] = Field(
        (), description="Folders or files with CustomResourceDefinitions, to check objects of their kinds."
    )


LabelName = Annotated[str, Field(pattern=r"^[a-z0-9]+([._-][a-z0-9]+)*$")]
LabelText = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.,:/@%+=~ -]*$")]
DebianPackage = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9+.-]+$")]


class Container(Model):
    """The image that `wurzel image` builds, for steps to run in."""

    base: Image = Field(
        description="Image that it starts from: a Debian with Python and pip, by its digest, as in"
        " python:3.12-slim-bookworm@sha256:…"
    )
    image: Image | None = Field(None, description="Name that it is built and pushed under, as in ghcr.io/acme/rag:1.0.")
    packages: tuple[DebianPackage, ...] = Field((), description="Debian packages that steps need, such as libgomp1.")
    labels: dict[LabelName, LabelText] = Field(
        {},
        description="Labels of the image, beside those of its base, as in org.opencontainers.image.source:"
        " https://github.com/acme/rag.",
    )


class ProjectFile(Model):
    """A whole `wurzel.yaml`."""

    version: Literal[1] = Field(description="Version of this format.")
    requires: str | None = Field(
        None,
        description="The wurzel that generated files install: wurzel==VERSION, wurzel @ URL, or a path. A version is"
        " checked against the wurzel that reads the file, too.",
    )
    folder: str | None = Field(
        None,
        description="The project's folder in its repository, `.` for its top; by default as git says. Files that"
        " platforms read at the top are written there.",
    )
    container: Container | None = Field(None, description="The image of the project; see `wurzel image`.")
    templates: tuple[str, ...] = Field(
        (),
        description="Folders and installed packs of templates, most specific first; a pack may have a version range,"
        " as in globex>=2,<3.",
    )
    variables: dict[VariableName, Any] = Field(
        {}, description="Values of the variables that packs declare, for all pipelines."
    )
    store: STORE[0] = Field(None, description="The store of all pipelines.")  # type: ignore[valid-type]
    pipelines: dict[Name, PipelineConfig] = Field({}, description="By name.")
    environments: dict[str, Environment] = Field({}, description="By name, as given to `-e`.")
