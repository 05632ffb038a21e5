"""Templates escape where they are told to and refuse what is missing; prompts are known by the bytes of their files."""

import hashlib
import sys

import pytest
from jinja2 import UndefinedError
from jinja2.exceptions import SecurityError

from convsim._templates import Prompts, environment


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "shop_templates"
    for inner in ("templates", "prompts"):
        (folder / inner).mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "templates" / "a.j2").write_text(
        "{% if x %}\n  {% if x %}\n<b>{{ x }}</b>\n{% endif %}{% endif %}"
    )
    (folder / "prompts" / "a.txt.j2").write_text("\n{% if x %}\nsay {{ x }}\n{% endif %}\n")
    (folder / "prompts" / "b.txt.j2").write_text("{{ x.__class__.__mro__ }}")
    monkeypatch.syspath_prepend(tmp_path)
    yield "shop_templates"
    sys.modules.pop("shop_templates", None)


def test_a_page_escapes_and_a_text_does_not(package):
    page, text = (
        environment(package, escape=escape).get_template("a.j2").render(x="<script>")
        for escape in (True, False)
    )
    assert page == "<b>&lt;script&gt;</b>\n"
    assert text == "<b><script></b>\n"


def test_spaces_before_a_block_stay_where_a_template_counts_on_them(package):
    assert (
        environment(package, escape=False, lstrip=False).get_template("a.j2").render(x="y") == "  <b>y</b>\n"
    )


def test_what_is_missing_is_an_error_everywhere(package):
    with pytest.raises(UndefinedError):
        environment(package, escape=True).get_template("a.j2").render()
    with pytest.raises(UndefinedError):
        Prompts(package).render("a")


def test_a_prompt_is_filled_in_as_it_is_and_reaches_nothing_inside_what_it_is_given(package):
    assert Prompts(package).render("a", x="<you>") == "say <you>"
    with pytest.raises(SecurityError):
        Prompts(package).render("b", x="y")


def test_prompts_are_named_by_the_hash_of_their_bytes(package):
    content = b"\n{% if x %}\nsay {{ x }}\n{% endif %}\n"
    assert Prompts(package).hashes("a") == {"a": hashlib.sha256(content).hexdigest()}
