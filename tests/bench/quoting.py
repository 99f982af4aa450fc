"""What quoting and proving cost: a file of many items, rendered by wurzel and by Jinja alone, which quotes nothing."""

import time
from functools import partial
from typing import NamedTuple

import jinja2

from wurzel.render import Renderer

ITEMS = (1_000, 10_000)
ROUNDS = 7
LIMIT = 30.0
TEMPLATES = {
    "items.yaml": """\
items:
{% for item in items %}
- name: {{ item.name }}
  image: {{ item.image }}
  count: {{ item.count }}
  command: [run, {{ item.name }}, "--url={{ item.url }}"]
{% endfor %}
""",
    "items.sh": """\
#!/bin/sh
{% for item in items %}
echo {{ item.name }} --count {{ item.count }}
IMAGE={{ item.image }} run "{{ item.url }}"
{% endfor %}
""",
    "items.py": """\
{% for item in items %}
op(name={{ item.name }}, image={{ item.image }}, count={{ item.count }})
call("{{ item.url }}", {{ item.name }})
{% endfor %}
""",
}


class Quoting(NamedTuple):
    """CPU seconds of a file by wurzel and by Jinja alone."""

    file: str
    items: int
    ours: float
    plain: float

    @property
    def ratio(self):
        return self.ours / self.plain


def quotings(work):
    """Each file with each number of items; five values an item, in all of the places that lists of commands have."""
    for name, source in TEMPLATES.items():
        (work / f"{name}.j2").write_text(source)
    renderer, plain = Renderer([work]), jinja2.Environment(trim_blocks=True, lstrip_blocks=True, autoescape=False)
    found = []
    for name, source in TEMPLATES.items():
        template = plain.from_string(source)
        for count in ITEMS:
            items = [_item(number) for number in range(count)]
            calls = partial(renderer.render, f"{name}.j2", {"items": items}), partial(template.render, items=items)
            rows = [list(map(_cpu, calls)) for _ in range(ROUNDS if count == ITEMS[0] else 2)]
            found.append(Quoting(name, count, *map(min, zip(*rows, strict=True))))
    return found


def _item(number):
    url = f"https://example.com/{number}?a=b c"
    return {"name": f"step-{number}", "image": f"ghcr.io/acme/rag:{number}", "count": number, "url": url}


def _cpu(call):
    started = time.process_time()
    call()
    return time.process_time() - started
