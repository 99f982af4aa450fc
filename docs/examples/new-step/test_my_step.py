from my_step import MyStep, Item


def test_my_step(run_step):
    items = [Item(text="a"), Item(text="b")]
    assert run_step(MyStep, items, settings={"LIMIT": 1}).output == items[:1]
