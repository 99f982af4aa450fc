from wurzel import PydanticModel, Settings, TypedStep


class Item(PydanticModel):
    """What flows in and out: import yours instead."""

    text: str


class MyStepSettings(Settings):
    LIMIT: int = 10


class MyStep(TypedStep[MyStepSettings, list[Item], list[Item]]):
    """Say in one sentence what it does."""

    def run(self, inpt: list[Item]) -> list[Item]:
        return inpt[: self.settings.LIMIT]
