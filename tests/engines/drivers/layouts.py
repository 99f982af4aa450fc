"""Another engine's driver with files of another layout."""

from dataclasses import fields

from wurzel.engines.driver import Driver


class LaidOut(Driver):
    """Renders with a layout, and otherwise runs as the driver does that it is given."""

    def __init__(self, driver, layout):
        self.driver = driver
        self.layout = layout
        self.name = f"{driver.name}, {layout}"
        self.target = driver.target
        self.how = f"as {driver.name}, with `layout: {layout}`"
        self.simulated = driver.simulated

    def missing(self):
        return self.driver.missing()

    def version(self):
        return self.driver.version()

    def run_all(self, cases, folder):
        return self.driver.run_all([self._laid_out(case) for case in cases], folder)

    def run(self, case, folder):
        return self.driver.run(self._laid_out(case), folder)

    def _laid_out(self, case):
        same = {field.name: getattr(case, field.name) for field in fields(case)}
        layout = f"targets.{self.target}.layout={self.layout}"
        kind = type("LaidOutCase", (type(case),), {"keeps_layout": True})
        return kind(**same | {"sets": (*case.sets, layout)})
