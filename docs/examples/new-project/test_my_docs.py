from my_docs import Doc, Shorten, pipeline


def test_shorten(run_step):
    result = run_step(Shorten, [Doc(text="roots")], settings={"LENGTH": 2})
    assert result.output == [Doc(text="ro")]


def test_pipeline(check_pipeline):
    """Compares with golden/test_pipeline; `pytest --update` writes it."""
    check_pipeline(pipeline, {"read": [Doc(text="Soil feeds the roots.")]})
