"""Steps that start from their own last output."""

from __future__ import annotations

from typing import Generic

from wurzel.core.typed_step import OUTCONTRACT, SETTS, TypedStep


class SelfConsumingLeafStep(TypedStep[SETTS, OUTCONTRACT | None, OUTCONTRACT], Generic[SETTS, OUTCONTRACT]):
    """A source that is given its own last output, so that it need not do its work again: `[SETTINGS, OUTPUT]`.

    At the first run there is none and `inpt` is `None`.
    """
