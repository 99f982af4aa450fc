"""Templates that compute huge texts, lists or numbers: each ends soon, with an error, in little memory."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from wurzel.render import Renderer

GROW = "{{% set ns = namespace(x={start}) %}}{{% for i in range(100) %}}{{% set ns.x = {step} %}}{{% endfor %}}"
BIG = "{% set big = 'x' * 10**7 %}"
MANY = "{% set many = range(10**5) | list %}{% set copy = many[:] %}{% set pairs = {}.fromkeys(many) %}"
MANY += "{% set rows %}{% for i in range(10**4) %}{{ i }}{% endfor %}{% endset %}"
LOOPS = "{{% for i in range(10**5) %}}{{% for j in {items} %}}{text}{{% endfor %}}{{% endfor %}}"
CALLS = "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}\n"
LISTS = GROW.format(start="[1]", step="[ns.x, ns.x]")
HOSTILE = {
    "text times a number": "a: {{ 'x' * 10**10 }}\n",
    "a number times a text": "a: {{ 10**10 * 'x' }}\n",
    "a list times a number": "a: {{ [0] * 10**10 }}\n",
    "a text that doubles": GROW.format(start="'x'", step="ns.x ~ ns.x"),
    "a text that is added to itself": GROW.format(start="'x'", step="ns.x + ns.x"),
    "a list that is added to itself": GROW.format(start="[1]", step="ns.x + ns.x"),
    "a list that is extended by itself": "{% set x = [1] %}{% for i in range(99) %}{{ x.extend(x) or '' }}{% endfor %}",
    "a list that grows while it is read": "{% set x = [1] %}{% for i in x %}{% set _ = x.append(i) %}{% endfor %}",
    "a list that grows in a condition": "{% set x = [1] %}{% for i in x if not x['append'](i) %}{% endfor %}",
    "a list that is filled at its start": "{% set x = [1] %}{% for i in x %}{{ x.insert(0, i) or '' }}{% endfor %}",
    "lists of the same list": LISTS + "a: {{ ns.x }}\n",
    "JSON of lists of the same list": LISTS + "a: {{ ns.x | json }}\n",
    "a number that is squared": GROW.format(start="9", step="ns.x * ns.x"),
    "a power": "a: {{ 10 ** 10000000000 }}\n",
    "a loop in a loop": LOOPS.format(items="range(10**5)", text=""),
    "a loop in a loop that writes": LOOPS.format(items="range(10**5)", text="a{{ i }}: {{ j }}\n"),
    "a loop over a generator": LOOPS.format(items="range(10**5) | map('string')", text=""),
    "a large text, often": BIG + "{% for i in range(1000) %}a{{ i }}: {{ big }}\n{% endfor %}",
    "a large list, often": "{% set x = range(10**5) | list %}{% for i in range(999) %}a{{ i }}: {{ x }}\n{% endfor %}",
    "a large text in lists": BIG + "a: {{ [big] * 1000 }}\n",
    "macros that call themselves": CALLS,
    "a width": "a: {{ '%10000000000d' | format(1) }}\n",
    "a width of an operator": "a: {{ '%10000000000d' % 1 }}\n",
    "a width that is an argument": "a: {{ '%*d' % (10**10, 1) }}\n",
    "a precision": "a: {{ '%.10000000000f' % 1 }}\n",
    "padding": "a: {{ 'x'.ljust(10**10) }}\n",
    "padding by a key": "a: {{ 'x'['rjust'](10**10) }}\n",
    "padding by an attribute": "a: {{ (['x'] | map(attribute='zfill') | first)(10**10) }}\n",
    "tabs": "a: {{ '\t'.expandtabs(10**10) }}\n",
    "centre": "a: {{ 'x' | center(10**10) }}\n",
    "indentation": "a: {{ 'x\ny' | indent(10**10) }}\n",
    "indentation of JSON": "a: {{ [1] | json(indent=10**10) }}\n",
    "indentation of lines": "{% filter indent(10**10) %}\na\n{% endfilter %}",
    "a batch": "a: {{ [1] | batch(10**10, 0) | list }}\n",
    "slices": "a: {{ [1] | slice(10**10) | list }}\n",
    "digits": "a: {{ 1 | round(10**10, 'ceil') }}\n",
    "joined": BIG + "a: {{ range(10**5) | join(big) }}\n",
    "joined by a method": BIG + "a: {{ big.join(['a'] * 10**5) }}\n",
    "replaced": BIG + "a: {{ big | replace('x', big) }}\n",
    "replaced by a method": BIG + "a: {{ big.replace('x', big) }}\n",
    "translated": BIG + "a: {{ big.translate({120: big}) }}\n",
    "bytes": "a: {{ (5).to_bytes(10**10, 'big') }}\n",
    "a number that is added to itself": GROW.format(start="2 ** 13999", step="ns.x + ns.x"),
    "a loop that calls itself": "{% for i in [1] recursive %}{{ loop([1, 1]) if loop.depth < 40 else '' }}{% endfor %}",
    **{
        f"often {what}": f"{BIG}{MANY}{{% for i in range(10**5) %}}{{% set x = {what} %}}{{% endfor %}}"
        for what in (
            *("many | sort", "many | map('string') | list", "many | join", "many[1:]", "0 in many", "many == many[1:]"),
            *(
                "many.count(1)",
                "many['count'](1)",
                "{}.fromkeys(many)",
                "many + [1]",
                "[1] | select('in', many) | list",
            ),
            *("[many, 1] == [copy, 1]", "[[many, 1], [many, 2]] | sort"),
            *("pairs == pairs.copy()", "pairs in [1, pairs.copy()]", "[pairs] | select('eq', pairs.copy()) | list"),
            *("[big] == [big ~ 'y']", "[big, big] | max"),
            *("[many, many] | sum(start=[])", "big | upper", "big.upper()", "'y' in big", "big ~ 'y'", "'%s' % big"),
            *(
                "big.split('x')",
                "big | wordwrap(3)",
                "'%99999d' | format(1)",
                "rows ~ 1",
                "rows | indent",
                "rows | trim",
            ),
        )
    },
    "often a part": MANY + "{% for i in range(10**5) %}{% set x %}{{ rows }}{% endset %}{% endfor %}",
}
RUN = """
import json, resource, sys, time
from wurzel.exceptions import TemplateError
from wurzel.render import Renderer, values
values.MOST = 10**6  # so that the test is faster
resource.setrlimit(resource.RLIMIT_AS, (1536 * 2**20,) * 2)
ended = {}
for number, (name, text) in enumerate(json.load(sys.stdin).items()):
    start = time.process_time()
    try:
        Renderer(["own"]).render(f"{number}.yaml.j2", {})
        ended[name] = ["nothing", "", 0]
    except TemplateError as error:
        ended[name] = [error.message, error.where, time.process_time() - start]
print(json.dumps(ended))
"""


@pytest.fixture(scope="module")
def ended(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bounds")
    (folder / "own").mkdir()
    for number, text in enumerate(HOSTILE.values()):
        (folder / "own" / f"{number}.yaml.j2").write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=folder, input=json.dumps(HOSTILE), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_huge_result_is_an_error_at_its_line(ended, name):
    message, where, seconds = ended[name]
    assert " more than " in message, message
    assert "memory" not in message
    assert where.startswith(f"own/{list(HOSTILE).index(name)}.yaml.j2:"), where
    assert seconds < 60  # far more than it takes on a busy machine; without bounds it would be days


ALLOWED = {
    "- {{ 'x' * 10 }}": "- xxxxxxxxxx\n",
    "a: {{ [0] * 2 }}": "a:\n  - 0\n  - 0\n",
    "- {{ 2 ** 10 + 3 * 4 }}": "- 1036\n",
    "- {{ 2 ** -1 }}": "- 0.5\n",
    "- {{ 'a'.ljust(3) ~ '|' }}": "- a  |\n",
    "- {{ ','.join(['a', 'b']) }}": "- a,b\n",
    "- {{ 'a-b'.replace('-', '+') }}": "- a+b\n",
    "- {{ 'a-b-c'.replace('-', '+', 1) }}": "- a+b-c\n",
    "- {{ 'x' | center(3) ~ '|' }}": "- ' x |'\n",
    "- {{ '%5.1f|' | format(2.25) }}": "- '  2.2|'\n",
    "- {{ '%-5s|' % 'a' }}": "- a    |\n",
    "- {{ 2.345 | round(2) }}": "- 2.35\n",
    "a: {{ ([1] + [2]) | batch(1) | first }}": "a:\n  - 1\n",
    "- {{ {'a': 1}.update({'b': 2}) or 'x' }}": "- x\n",
    "- {{ 'ab'.translate({97: 'xy'}) }}": "- xyb\n",
    "- {{ [1, 2] | sum ~ [{'a': 3}] | sum('a', 4) }}": "- '37'\n",
    "a: {{ [[1], [2]] | sum(start=[]) }}": "a:\n  - 1\n  - 2\n",
    "- {{ 1 in [1] and 'a' not in 'xyz' and [1] == [1] }}": "- true\n",
}


@pytest.mark.parametrize("source", ALLOWED)
def test_what_files_need_is_allowed(tmp_path, source):
    (tmp_path / "x.yaml.j2").write_text(source + "\n")
    text = Renderer([Path(tmp_path)]).render("x.yaml.j2", {}).text
    assert text.replace(" ", "") == ALLOWED[source].replace(" ", "")
