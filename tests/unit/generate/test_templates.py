"""Included templates are put into those that include them, and nothing is rendered otherwise for it."""

from pathlib import Path

import jinja2
import pytest

from nemo_sdg.generate.templates import open_templates

PARTS = {
    "plain.jinja": "{{ item }} is here\n",
    "lines.jinja": "\n{% for part in parts %}\n- {{ part }}{% endfor %}\n",
    "nested.jinja": 'outer {% include "plain.jinja" %} outer',
    "strips.jinja": "{%- if item %} {{ item }}{% endif -%}\n",
    "empty.jinja": "\n",
}


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("text", ["before\n{% include PART %}\nafter", "{% if item %} {% include PART %}{% endif %} x"])
def test_a_template_reads_the_same_with_its_includes_put_in(tmp_path: Path, part: str, text: str) -> None:
    sources = {**PARTS, "main.jinja": "{% block ask %}" + text.replace("PART", f'"{part}"') + "{% endblock %}"}
    for name, source in sources.items():
        (tmp_path / name).write_text(source)
    variables = {"item": "a lamp", "parts": ["one", "two"]}
    expected = jinja2.Environment(loader=jinja2.DictLoader(sources)).get_template("main.jinja").render(variables)
    found = open_templates(str(tmp_path)).get_template("main.jinja").render(variables)
    assert found == expected


def test_no_shipped_template_looks_up_another_one_when_it_is_rendered() -> None:
    environment = open_templates(None)
    for name in environment.list_templates(extensions=["jinja"]):
        assert environment.loader is not None
        source = environment.loader.get_source(environment, name)[0]
        compiled = environment.compile(source, name, raw=True)
        assert "get_template(" not in compiled.replace("environment.get_template(None", ""), name
