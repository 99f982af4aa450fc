"""The shape of `wurzel.yaml`: what may stand where, with the descriptions that its JSON Schema shows.

What a target must honour is said once, in the IR; the models here take those fields over and add what only
configuration has. They are never instantiated: `wurzel.project.read` reads nodes by them, with positions.
"""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from wurzel.ir.model import MAX_SHARDS, Pipeline, Shards, Step
from wurzel.ir.names import Entrypoint, Name, VariableName

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
"""Fields of an IR step that the code decides, not configuration; settings are given in a form of their own."""

PIPELINE_FACTS = frozenset({"version", "name", "entrypoint", "steps"})
"""Fields of an IR pipeline that are given in a form of their own."""

PACK_FILE = "wurzel-pack.yaml"
"""What a pack, or a folder of templates, says of pipelines; beside its templates."""


class ConfigModel(BaseModel):
    """Base of all models of `wurzel.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


SHARDS = (
    Annotated[int, Field(ge=1, le=MAX_SHARDS)] | Shards,
    Field(
        default_factory=Shards.model_construct,
        description=f"{Step.model_fields['shards'].description}; a number N is {{max: N}}",
    ),
)
"""`shards` as configuration takes it: in a short form too."""


def taken_over(cls: type[BaseModel], facts: frozenset[str]) -> dict[str, Any]:
    """Definitions of the fields of a model of the IR, but for those that configuration gives in another form."""
    return {name: (field.annotation, field) for name, field in cls.model_fields.items() if name not in facts}


StepDefaults = create_model(
    "StepDefaults",
    __base__=ConfigModel,
    __doc__="What every step of a pipeline gets unless it says otherwise.",
    **taken_over(Step, STEP_FACTS) | {"shards": SHARDS},
)

StepConfig = create_model(
    "StepConfig",
    __base__=StepDefaults,
    __doc__="One step: what it needs to run, and its settings.",
    settings=(
        dict[str, Any],
        Field({}, description="Values of fields of the step's settings class; never secrets."),
    ),
    parameters=(
        tuple[str, ...],
        Field((), description="Settings that can be overridden for one run, in the platform's own way."),
    ),
)

PipelineConfig = create_model(
    "PipelineConfig",
    __base__=ConfigModel,
    __doc__="One pipeline: where its code is, how it runs, and on which targets.",
    entrypoint=(
        Entrypoint,
        Field(description="`module:attribute` of the last step, a list of last steps, or a function."),
    ),
    **taken_over(Pipeline, PIPELINE_FACTS),
    defaults=(StepDefaults, Field({}, description="For every step.")),
    steps=(dict[Name, StepConfig], Field({}, description="By step id.")),
    targets=(dict[str, dict[str, Any]], Field({}, description="Options by target; which targets there are.")),
)


class Environment(ConfigModel):
    """What is different in one environment, such as `prod`."""

    variables: dict[VariableName, Any] = Field({}, description="Variables of all pipelines in this environment.")
    pipelines: dict[Name, PipelineConfig] = Field({}, description="Overrides by pipeline.")


VALIDATE = "validate"
"""Key of a file that says what `--validate` is told; pydantic's models have a method of that name."""


class Validation(ConfigModel):
    """What `wurzel render --validate` is told."""

    schemas: tuple[str, ...] = Field(
        (), description="Folders or files with CustomResourceDefinitions, by which objects of their kinds are checked."
    )


class ProjectFile(ConfigModel):
    """A whole `wurzel.yaml`."""

    version: Literal[1] = Field(description="Version of this format.")
    templates: tuple[str, ...] = Field(
        (),
        description="Folders and installed packs of templates, most specific first; of a pack, with the versions that"
        " fit: globex>=2,<3.",
    )
    variables: dict[VariableName, Any] = Field(
        {}, description="Values of the variables that packs declare, for all pipelines."
    )
    pipelines: dict[Name, PipelineConfig] = Field({}, description="By name.")
    environments: dict[str, Environment] = Field({}, description="By name, as given to `-e`.")
