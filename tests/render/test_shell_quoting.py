"""Values in shell scripts, position by position: what is written, what dash and bash find, and what is refused."""

import os
import shlex
import subprocess
from shutil import which

import pytest

from tests.render.hostile import STRINGS, has_surrogate
from wurzel.exceptions import QuotingError, VerifyError
from wurzel.render.quoting.word import join, quote

SHELLS = [shell for shell in ("dash", "bash", "sh") if which(shell)]
PRINT = 'p() { for w in "$@"; do printf \'%s\\000\' "$w"; done; }\n'
GOOD = [text for text in STRINGS if "\0" not in text and not has_surrogate(text)]


@pytest.fixture
def script(render):
    return lambda source, **context: render({"x.sh.j2": source}, **context).text


def run(shell, text):
    environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "ONE": "1"}
    done = subprocess.run([shell, "-c", text], capture_output=True, check=True, env=environment)
    return done.stdout.decode().split("\0")[:-1]


def test_every_text_is_one_word():
    for text in GOOD:
        assert shlex.split(quote(text), comments=True) == [text]
    assert shlex.split(join(GOOD)) == GOOD


@pytest.mark.parametrize("shell", SHELLS)
def test_every_text_is_one_word_for_a_real_shell(script, shell):
    words = script(PRINT + "p {{ xs | words }}\n", xs=GOOD)
    assert run(shell, words) == GOOD
    lines = script(PRINT + "{% for x in xs %}\np {{ x }} --x={{ x }}/{{ x }}y\n{% endfor %}\n", xs=GOOD)
    assert run(shell, lines) == [word for text in GOOD for word in (text, f"--x={text}/{text}y")]
    quotes = script(PRINT + "{% for x in xs %}\np 'a{{ x }}' \"${ONE}{{ x }}$ONE\"\n{% endfor %}\n", xs=GOOD)
    assert run(shell, quotes) == [word for text in GOOD for word in (f"a{text}", f"1{text}1")]


@pytest.mark.parametrize("shell", SHELLS)
def test_every_text_in_a_here_document(script, shell):
    texts = [text for text in GOOD if "EOF" not in text.split("\n")]
    bodies = ['p "$(cat <<EOF\n{{ x }}|$ONE\nEOF\n)"', "p \"$(cat <<'EOF'\n{{ x }}|$ONE\nEOF\n)\""]
    source = "{% for x in xs %}\n" + "\n".join(bodies) + "\n{% endfor %}\n"
    text = script(PRINT + source, xs=texts)
    assert run(shell, text) == [word for text in texts for word in (f"{text}|1", f"{text}|$ONE")]


@pytest.mark.parametrize(
    ("template", "value", "written"),
    [
        ("run {{ x }}", "abc", "run abc"),
        ("run {{ x }}", "a/b.c:d@e%f,g+h-i_j", "run a/b.c:d@e%f,g+h-i_j"),
        ("run {{ x }}", "--a=b", "run --a=b"),
        ("run {{ x }}", "a b", "run 'a b'"),
        ("run {{ x }}", "it's", "run 'it'\\''s'"),
        ("run {{ x }}", "", "run ''"),
        ("run {{ x }}", "é", "run 'é'"),
        ("run {{ x }}", 5, "run 5"),
        ("run {{ x }}", 1.5, "run 1.5"),
        ("{{ x }} a", "if", "'if' a"),
        ("{{ x }} a", "A=b", "'A=b' a"),
        ("i{{ x }} a", "f", "i'f' a"),
        ("{{ x }}>f", "2", "'2'>f"),
        ("~{{ x }}", "root", "~'root'"),
        ("~{{ x | identifier }}", "root", "~'root'"),
        ("{{ x }}2>f", "1", "'1'2>f"),
        ("step_{{ x }}() { :; }", "abc", "step_abc() { :; }"),
        ("a{{ x | identifier }}b() { :; }", "x", "axb() { :; }"),
        ("$HOME{{ x }}", "abc", "$HOME'abc'"),
        ("$HOME_{{ x }}", "abc", "$HOME_'abc'"),
        ("$HOME{{ x | identifier }}", "abc", "$HOME'abc'"),
        ("$-{{ x }}", "abc", "$-'abc'"),
        ("A={{ x }} {{ x }}=1", "abc", "A=abc abc=1"),
        ("a --{{ x }}=1", "o p", "a --'o p'=1"),
        ("echo $(( {{ x }} + 1 )) $((2*{{ x }}))", -5, "echo $(( (-5) + 1 )) $((2*(-5)))"),
        ('echo "$(f {{ x }} "b {{ x }}")"', "a b", 'echo "$(f \'a b\' "b a b")"'),
        ("echo \"${A:-b}\" ${A#*'x'} {{ x }}", "c", "echo \"${A:-b}\" ${A#*'x'} c"),
        ("echo \\\n  {{ x }}", "c d", "echo \\\n  'c d'"),
        ("for i in {{ x | words }}; do :; done", ["a", "b c"], "for i in a 'b c'; do :; done"),
        ("for i in {{ x | words }}; do :; done", [], "for i in ; do :; done"),
        ("f() { echo {{ x }}; }  # {{ x }} '", "a'b", "f() { echo 'a'\\''b'; }  # a'b '"),
        ("#!/bin/{{ x }}\n", "sh", "#!/bin/sh\n"),
        ("sh -c {{ x | shell }}", ["echo", "a b"], "sh -c 'echo '\\''a b'\\'''"),
    ],
)
def test_form_of_a_value(script, template, value, written):
    assert script(template, x=value).removesuffix("\n") == written.removesuffix("\n")


def test_comments_are_never_left(script):
    assert script("# {{ s }}\n  # {{ s }}\ntrue # {{ t }}\n", s="x\nrm -rf y\r\nz", t="'") == (
        "# x\n# rm -rf y\n# z\n  # x\n  # rm -rf y\n  # z\ntrue # '\n"
    )


@pytest.mark.parametrize(
    ("template", "value", "message"),
    [
        ("run {{ s }}", "a\0b", "a NUL"),
        ("run '{{ s }}'", "a\0b", "a NUL"),
        ("run {{ s }}", "\ud800", "half of a surrogate pair"),
        ("run {{ s }}", None, "no one form as text|only text and numbers"),
        ("run {{ s }}", True, "only text and numbers"),
        ("run {{ s }}", ["a"], "no single word"),
        ("run {{ s }}", {"a": 1}, "no single word"),
        ("run x{{ s | words }}", ["a"], "several words cannot be part of one"),
        ("run '{{ s | words }}'", ["a"], "only text and numbers"),
        ("run \\{{ s }}", "a", "a backslash stands in front"),
        ('run "\\{{ s }}"', "a", "a backslash stands in front"),
        ("run ${{ s }}", "a", "a `\\$` stands in front"),
        ('run "${{ s }}"', "a", "a `\\$` stands in front"),
        ('run "$HOME{{ s }}"', "a", "become part of the name"),
        ('run "$1{{ s }}"', "0", "become part of the name"),
        ("run `echo {{ s }}`", "a", "within backquotes"),
        ("run ${A:-{{ s }}}", "a", r"within `\${ }`"),
        ("{{ s }}=1", "a b", "the name of a variable"),
        ("echo $(( {{ s }} ))", "1", "only whole numbers"),
        ("echo $(( x{{ s }} ))", 1, "within a name or number"),
        ("(( {{ s }} > 1 ))", "x", "only whole numbers"),
        ("cat <<EOF\n{{ s }}\nEOF\n", "a\nEOF", "would end the here-document"),
        ("cat <<'EOF'\nE{{ s }}\nEOF\n", "OF", "would end the here-document"),
        ("cat <<EOF\n$(echo {{ s }})\nEOF\n", "a\nEOF\ntouch pwned\n: '", "would end the here-document"),
        ('cat <<EOF\n$(echo "{{ s }}")\nEOF\n', "a\nEOF\nb", "would end the here-document"),
        ("cat <<EOF\n$(cat <<-END\n{{ s }}\nEND\n)\nEOF\n", "a\nEOF", "one of its lines is 'EOF'"),
        ("cat <<EOF\n$(cat <<END\n{{ s }}\nEND\n)\nEOF\n", "a\nEND", "one of its lines is 'END'"),
        ("cat <<-EOF\n$(echo {{ s }})\nEOF\n", "a\n\tb", "may remove its tabs"),
        ("cat <<-EOF\n\t{{ s }}\n\tEOF\n", "\ta", "may remove its tabs"),
        ("true # {{ s }}", "a\nb", "several lines cannot stand in a comment"),
        ("#!/bin/{{ s }}\n", "sh -e", "plain path"),
    ],
)
def test_what_cannot_be_read_back_is_refused(script, template, value, message):
    with pytest.raises(QuotingError, match=message) as caught:
        script(template, s=value)
    line = template[: template.index("{{")].count("\n") + 1
    assert caught.value.where == f"x.sh.j2:{line}"


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("true\nrun 'a {{ s }}\n", "the quote ' has no end"),
        ('true\nrun "a {{ s }}\n', 'the quote " has no end'),
        ("true\nrun `a {{ s }}\n", "the backquote has no end"),
        ("true\nrun $(a {{ s }}\n", r"`\$\(` has no end"),
        ("true\nrun ${a {{ s }}\n", r"`\${` has no end"),
        ("true\nrun $((1 + {{ s }})\n", r"`\(\(` has no end"),
        ("true\ncat <<EOF {{ s }}\nx\n", "the here-document 'EOF' has no end"),
        ("true\ncat <<{{ s }}\nx\n", "the end of this here-document is not certain"),
        ("true\nrun $'a\\'b' {{ s }}\n", "sh and bash read"),
        ("true\nrun \"${a:-'b}'}\" {{ s }}\n", "shells differ"),
        ("true\nrun $(case a in a) ;; esac) {{ s }}\n", "`case` within"),
        ("true\nif {{ s }}\n", "the shell cannot parse this"),
    ],
)
def test_a_script_that_cannot_be_followed_is_named_with_its_line(script, template, message):
    with pytest.raises(VerifyError, match=message) as caught:
        script(template, s="b")
    assert caught.value.where in {"x.sh.j2:2", "x.sh.j2:3"}


def test_case_patterns_and_functions_are_followed(script):
    source = 'case {{ x }} in\n  {{ x }}) echo "({{ x }}" ;;\n  *) echo ")" ;;\nesac\n( echo {{ x }} )\n'
    assert (
        script(source, x="a b")
        == "case 'a b' in\n  'a b') echo \"(a b\" ;;\n  *) echo \")\" ;;\nesac\n( echo 'a b' )\n"
    )


def test_the_value_that_would_end_a_here_document_is_the_one_that_is_named(render):
    with pytest.raises(QuotingError, match="`b` is 'EOF'") as caught:
        render({"x.sh.j2": "cat <<EOF\n{{ a }}\n{{ b }}\nEOF\n"}, a="a", b="EOF")
    assert caught.value.where == "x.sh.j2:3"
