"""Values in shell scripts, position by position: what is written, what dash and bash find, and what is refused."""

import os
import shlex
import subprocess
from shutil import which

import pytest

from tests.render.hostile import STRINGS, has_surrogate
from wurzel.exceptions import QuotingError, TemplateError, VerifyError
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
        ("p {{ x }}#{{ x }} a#{{ x }}", "b c", "p 'b c'#'b c' a#'b c'"),
        ("p a\xa0# {{ x }}", "b c", "p a\xa0# 'b c'"),
        ("p a\x0c# {{ x }}", "b c", "p a\x0c# 'b c'"),
        ("p a\x0b\u2003#{{ x }}", "b", "p a\x0b\u2003#'b'"),
        ("{ p {{ x }}; }", "a b", "{ p 'a b'; }"),
        ("find . -exec {}{{ x }} {} {{ x }}", "a b", "find . -exec {}'a b' {} 'a b'"),
        ("p \"{a,{{ x }}}\" '{1..{{ x }}}' \\{a,{{ x }}", "b", "p \"{a,b}\" '{1..b}' \\{a,b"),
        ("[[ {{ x }} == a && -n {{ x }} ]] && p {{ x }}", "-f", "[[ '-f' == a && -n '-f' ]] && p -f"),
        ("p ~+{{ x }} ~/{{ x }} a=~x{{ x }}", "a", "p ~+'a' ~/a a=~x'a'"),
        ("p a \\\n{{ x }} \\\n  {{ x }}", "b c", "p a \\\n'b c' \\\n  'b c'"),
        ("p {{ x }}; cat <<EOF\na\nEOF", "a\nb", "p 'a\nb'; cat <<EOF\na\nEOF"),
        (
            "p $(( {{ x }} )) $(( a - {{ x }} ))",
            2**63 - 1,
            "p $(( 9223372036854775807 )) $(( a - 9223372036854775807 ))",
        ),
        ("p --label {{ x }}=1", "a.b/c", "p --label a.b/c=1"),
        ("A={{ x }} B=1 {{ x }} c", "a-b", "A=a-b B=1 a-b c"),
        ("sh -c {{ x | shell }}", ["echo", "a b"], "sh -c 'echo '\\''a b'\\'''"),
        ("sh -c 'p {{ x | shell }}'", "a b", "sh -c 'p '\\''a b'\\'''"),
        ('bash -euo pipefail -c "{{ x }}"', "p $A", 'bash -euo pipefail -c "p \\$A"'),
        ("sh -c 'p {{ x }}' 'a {{ y }}'", "b-1.c", "sh -c 'p b-1.c' 'a -; a'"),
        ("jq --arg x '- {{ y }}' .; awk -v x='- {{ y }}' '{{ x }}'", "{print}", None),
        ("sed 's|a|/{{ x }}/|'", "a/b", "sed 's|a|/a/b/|'"),
        (
            "bash <<'EOF'\n{{ x }}\np {{ x | shell }} {{ x.split()[0] }}\nEOF",
            "a b",
            "bash <<'EOF'\na b\np 'a b' a\nEOF",
        ),
        ("sh run <<EOF\np {{ x }}\nEOF", "a b", "sh run <<EOF\np a b\nEOF"),
        ('apt-get install ssh git && p "-{{ x }}"', "a b", 'apt-get install ssh git && p "-a b"'),
        ("ssh h sudo tee f <<EOF\na={{ x }}\nEOF", "a b", "ssh h sudo tee f <<EOF\na=a b\nEOF"),
        ("awk -v 'x={{ x }}' 1; node -r './{{ x }}'", "a b", "awk -v 'x=a b' 1; node -r './a b'"),
        ("awk " + "-F " * 60 + "'{{ x }}:'", "a", None),
        ("sed -i '' \"s|@T@|{{ x }}|\" f; sed -e s/a/b/ {{ x }}", "It is (5)", None),
        ("sed '/^a:/,/^b:/s/:.*/: {{ x }}/;/c/!s/ s/{{ x }}/' f", "a, b", None),
        ("echo 'a {{ x }}' | grep sh; grep sed 'a {{ x }}'; sudo apt-get install jq 'a{{ x }}'", "a b", None),
        ("jq -n '$ARGS' --arg a {{ x }}; jq -f p.jq {{ x }}; yq eval '.a' 'x {{ x }}'", "a b", None),
        ("python -m app -c 'x {{ x }}'; bash -e run.sh -c 'x {{ x }}'; perl a.pl -e 'x {{ x }}'", "a b", None),
        ("docker run -e 'M={{ x }}' i sh -c 'p'; sh -c 'p \"$1\"' sh 'x {{ x }}'", "a b", None),
        ("echo 'a {{ x }}' | ssh h 'cat > f'; echo 'a {{ x }}' | python f.py; pip install jq 'a{{ x }}'", "a b", None),
        ("cat <<EOF | envsubst | kubectl apply -f -\na {{ x }}\nEOF", "a b", None),
        ("psql 'a={{ x }}' -c 'select 1'; ssh -i 'a {{ x }}' h ls; ssh {{ x }}; eval {{ x }}", "a b", None),
    ],
)
def test_form_of_a_value(script, template, value, written):
    text = script(template, x=value, y="-; a").removesuffix("\n")
    assert text == (text if written is None else written.removesuffix("\n"))


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
        ("run {{ s }}", None, "no unique text form|only text and numbers"),
        ("run {{ s }}", True, "only text and numbers"),
        ("run {{ s }}", ["a"], "not a single word"),
        ("run {{ s }}", {"a": 1}, "not a single word"),
        ("run x{{ s | words }}", ["a"], "several words cannot be part of a single word"),
        ("run '{{ s | words }}'", ["a"], "only text and numbers"),
        ("run \\{{ s }}", "a", "there is a backslash before it"),
        ('run "\\{{ s }}"', "a", "there is a backslash before it"),
        ("run ${{ s }}", "a", "there is a `\\$` before it"),
        ('run "${{ s }}"', "a", "there is a `\\$` before it"),
        ('run "$HOME{{ s }}"', "a", "become part of the name"),
        ('run "$1{{ s }}"', "0", "become part of the name"),
        ("run `echo {{ s }}`", "a", "inside backquotes"),
        ("run ${A:-{{ s }}}", "a", r"inside `\${ }`"),
        ("{{ s }}=1", "a b", "the name of a variable"),
        ("echo $(( {{ s }} ))", "1", "only whole numbers"),
        ("echo $(( x{{ s }} ))", 1, "inside a name or number"),
        ("(( {{ s }} > 1 ))", "x", "only whole numbers"),
        ("cat <<EOF\n{{ s }}\nEOF\n", "a\nEOF", "would end the here-document"),
        ("cat <<'EOF'\nE{{ s }}\nEOF\n", "OF", "would end the here-document"),
        ("cat <<EOF\n$(echo {{ s }})\nEOF\n", "a\nEOF\ntouch pwned\n: '", "would end the here-document"),
        ('cat <<EOF\n$(echo "{{ s }}")\nEOF\n', "a\nEOF\nb", "would end the here-document"),
        ("cat <<EOF\n$(cat <<-END\n{{ s }}\nEND\n)\nEOF\n", "a\nEOF", "one of its lines is 'EOF'"),
        ("cat <<EOF\n$(cat <<END\n{{ s }}\nEND\n)\nEOF\n", "a\nEND", "one of its lines is 'END'"),
        ("cat <<-EOF\n$(echo {{ s }})\nEOF\n", "a\n\tb", "may remove its tabs"),
        ("cat <<-EOF\n\t{{ s }}\n\tEOF\n", "\ta", "may remove its tabs"),
        ("cat <<-EOF\n\t{{ s }}\n\tEOF\n", "EOF", "would end the here-document"),
        ("cat <<EOF\n{{ s }}\nEOF\n", "E\u20ac?", "dash loses a byte"),
        ("cat <<'EOF'\nEO{{ s }}\nEOF\n", "\xe9", "dash loses a byte"),
        ("cat <<EOF\n{{ s }}\nEOF\n", "a\nEOF\xe9", "dash loses a byte"),
        ("cat <<EOF\n{{ s }}\\\nOF\nEOF\n", "E", "would end the here-document"),
        ("cat <<EOF\nE\\\n{{ s }}\nEOF\n", "OF", "a backslash joins its line"),
        ('p "$HOME\\\n{{ s }}"\n', "x", "a backslash joins its line"),
        ("p i\\\n{{ s }}\n", "f", "a backslash joins its line"),
        ("p $HOME\\\n\\\n{{ s }}\n", "x", "a backslash joins its line"),
        ("cat <<EOF; p {{ s }}\na\nEOF\n", "a\nb", "a here-document starts on this line"),
        ("cat <<EOF; p $(p {{ s }})\na\nEOF\n", "a\nb", "a here-document starts on this line"),
        ('cat <<EOF; p "{{ s }}"\na\nEOF\n', "a\nb", "a here-document starts on this line"),
        ("cat <<EOF; p {{ s | words }}\na\nEOF\n", ["a\nb"], "a here-document starts on this line"),
        ("p $(( {{ s }} ))", 2**63, "64 bits"),
        ("p $(( {{ s }} ))", -(2**63), "64 bits"),
        ("p $(( {{ s }}0 ))", 1, "inside a name or number"),
        ("p $(( {{ s }}#5 ))", 1, "inside a name or number"),
        ("p $(( 0x{{ s }} ))", 1, "inside a name or number"),
        ("arr[{{ s }}]=1", 5, "bash computes the text inside"),
        ("arr[i + {{ s }}]+=1", "a", "bash computes the text inside|braces"),
        ("p {1..{{ s }}}", 5, "a word with braces into several"),
        ("p {a/{{ s }}/b}", "x,y", "a word with braces into several"),
        ("p a{b,{{ s }}}", "x", "a word with braces into several"),
        ("p {{ s }}{a,b}", "x", "a word with braces into several"),
        ("p {a,b}{{ s }}", "x", "a word with braces into several"),
        ("[[ a =~ {{ s }} ]]", "a.c", "takes a pattern"),
        ("[[ 1 -eq {{ s }} ]]", "a[$(touch x)]", "bash computes the operands"),
        ("[[ {{ s }} -lt 1 ]]", "a[$(touch x)]", "bash computes the operands"),
        ("{{ s }}=1", "a-b", "the name of a variable"),
        ("A=1 {{ s }}+=1", "a-b", "the name of a variable"),
        ("if A_{{ s }}=1; then :; fi", "b c", "the name of a variable"),
        ("run {{ s | join(' ') }}", ["a", "b"], "would be one word"),
        ("run '{{ s }}' x{{ s | join('\n') }}", ["a"], "only text and numbers|would be one word"),
        ("true # {{ s }}", "a\nb", "several lines cannot be in a comment"),
        ("#!/bin/{{ s }}\n", "sh -e", "plain path"),
        ("sh -c 'p {{ s }}'", "a b", "part of a program"),
        ('sudo /bin/bash -ec "p \\"{{ s }}\\""', "$(id)", "part of a program"),
        ("bash -euo pipefail -c '\n  p {{ s }}\n'", "a;b", "part of a program"),
        ("trap 'rm -r {{ s }}' EXIT", "a b", "part of a program"),
        ('eval "p {{ s }}"', "*", "part of a program"),
        ('ssh -p 22 user@host "cd {{ s }} && ls"', "a b", "part of a program"),
        ("x=$(python3 -c 'print(\"{{ s }}\")')", 'a"b', "part of a program"),
        ("awk -F, 'BEGIN {print \"{{ s }}\"}'", "a\\b", "part of a program"),
        ("sed -i 's/a/{{ s }}/'", "a/b", "part of a program"),
        ("sed 's/a/b/; s:a:{{ s }}:'", "http://x", "part of a program"),
        ("sed -i.bak '/{{ s }}/d'", "a/b", "part of a program"),
        ("awk -F: -v a=b '$1 == \"{{ s }}\"'", "a b", "part of a program"),
        ("jq -r '.x = \"{{ s }}\"'", 'a"b', "part of a program"),
        ("python3 - <<'EOF'\nprint(\"{{ s }}\")\nEOF", 'a"b', "part of a program"),
        ("ssh -T -p 22 host <<EOF\ncd {{ s }}\nEOF", "a b", "part of a program"),
        ("f() {\n  bash -eu <<-'END'\n\tp {{ s }}\n\tEND\n}", "$(id)", "part of a program"),
        *(
            (template, value, "part of a program")
            for template, value in (
                ("sh -c -e 'p {{ s }}'", "a b"),
                ("bash +e -o pipefail -c -- 'p {{ s }}'", "a b"),
                ('docker run img "$SHELL" \\\n  -c "p {{ s }}"', "a b"),
                ("sh -c 'a '\"{{ s }}\"", "a b"),
                ("su - app -c 'p {{ s }}'", "a b"),
                ("eval p {{ s }}", "a b"),
                ('ssh "$HOST" cd "{{ s }}"', "a b"),
                ("python -W ignore -X dev -c 'p(\"{{ s }}\")'", 'a"b'),
                ("perl -i -pe 's/a/{{ s }}/' f", "a/b"),
                ("awk -F ':' -v x=\"$Y\" '/{{ s }}/'", "a/b"),
                ("sed -i '' -e s/x/y/ -e 's/a/{{ s }}/'", "a/b"),
                ("sed --expression='s/a/{{ s }}/'", "a&b"),
                ("sed s/a/{{ s }}/", "a/b"),
                ("sed 's/{{ s }}/b/'", "a.*"),
                ('x="$(jq -r --arg a "$A" \'.[] | select(.n == "{{ s }}")\' f)"', 'a"b'),
                ("yq eval -i '.a = \"{{ s }}\"' f", 'a"b'),
                ("psql -c \"select '{{ s }}'\"", "a'b"),
                ("bash -s -- x <<EOF\np {{ s }}\nEOF", "a b"),
                ("python3 - x <<EOF\np('{{ s }}')\nEOF", "a'b"),
                ("cat <<EOF | ssh host 'bash -s'\np {{ s }}\nEOF", "a b"),
                ("echo 'p {{ s }}' | sudo sh -x", "a b"),
                ("if echo 'p {{ s }}' | sh; then :; fi", "a b"),
                ("awk '{ print s/ n/{{ s }} }'", "system(1)"),
                ("sed 's,a s/b/{{ s }},x,'", "b,c,e"),
            )
        ),
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
        ("true\nrun 'a {{ s }}\n", "the quote ' is not closed"),
        ('true\nrun "a {{ s }}\n', 'the quote " is not closed'),
        ("true\nrun `a {{ s }}\n", "the backquote is not closed"),
        ("true\nrun $(a {{ s }}\n", r"`\$\(` is not closed"),
        ("true\nrun ${a {{ s }}\n", r"`\${` is not closed"),
        ("true\nrun $((1 + {{ s }})\n", r"`\(\(` is not closed"),
        ("true\ncat <<EOF {{ s }}\nx\n", "the here-document 'EOF' is not closed"),
        ("true\ncat <<{{ s }}\nx\n", "the delimiter of this here-document is unclear"),
        ("true\nrun $'a\\'b' {{ s }}\n", "sh and bash read"),
        ("true\nrun \"${a:-'b}'}\" {{ s }}\n", "shells differ"),
        ("true\nrun $(case a in a) ;; esac) {{ s }}\n", "`case` inside"),
        ("true\nif {{ s }}\n", "the shell cannot parse this"),
        ("true\na=(1)#{{ s }}\n", "whether `\\)#` starts a comment"),
        ("true\np $[ {{ s }} ]\n", "bash computes"),
        ('true\np "$[1]" {{ s }}\n', "bash computes"),
        ('true\np $"a" {{ s }}\n', "differently"),
        ("true\nx=$(cat <<EOF)\n{{ s }}\nEOF\n", "must end before the"),
        ("true\ncat <<EOF; p 'a\n{{ s }}'\nb\nEOF\n", "shells differ in where the here-document"),
        ("true\ncat <<EOF $(p\n{{ s }})\nb\nEOF\n", "shells differ in where the here-document"),
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


SETS = """\
job_{{ id | variable }}={{ x }}
p "$job_{{ id | variable }}" "${job_{{ id | variable }}}/a" $job_{{ id | variable }}/b
p "${job_{{ id | variable }}:-none}"
p "${missing_{{ id | variable }}:-none}" "$((count_{{ id | variable }} + 1))" done
"""


@pytest.mark.parametrize("shell", SHELLS)
def test_names_of_variables_are_made_of_values(script, shell):
    source = PRINT + SETS
    for name in ("embed", "embed-de", "2.1-x", "if"):
        found = run(shell, script(source, id=name, x="1 2"))
        assert found == ["1 2", "1 2/a", "1", "2/b", "1 2", "none", "1", "done"]


@pytest.mark.parametrize(
    ("template", "value", "message"),
    [
        ("{{ s | variable }}=1", "a b", "cannot be part of the name"),
        ("{{ s | variable }}=1", "", "cannot be part of the name"),
        ("{{ s | variable }}=1", "é", "cannot be part of the name"),
        ("{{ s | variable }}=1", "2", "the name of a variable"),
        ("p ${{ s | variable }}x", "2", "not a variable name"),
        ('p "$1{{ s | variable }}"', "a", "become part of the name"),
        ("p ${x:-{{ s | variable }}}", "a", r"inside `\${ }`"),
        ("p ${x{{ s }}}", "a", r"inside `\${ }`"),
        ("p $(( {{ s | variable }} ))", "2", "not a variable name"),
        ("{{ s | variable }}=1\n{{ 'a_b' | variable }}=2", "a-b", "would be the same variable"),
    ],
)
def test_what_is_not_the_name_of_a_variable_is_refused(script, template, value, message):
    with pytest.raises(TemplateError, match=message):
        script(template, s=value)
